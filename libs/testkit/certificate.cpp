#include "libs/testkit/certificate.h"

#include <stdexcept>

#include "libs/testkit/process.h"

namespace roomcheck::testkit {

Certificate::Certificate() {
  const Outcome made =
      run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
           "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
           "-keyout", key_file(), "-out", certificate_file()});
  if (made.exit_code != 0) throw std::runtime_error("openssl cannot make a certificate: " + made.err);
}

}  // namespace roomcheck::testkit
