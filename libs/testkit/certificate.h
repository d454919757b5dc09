#pragma once
#include <string>

#include "libs/testkit/files.h"

namespace roomcheck::testkit {

// A key and a self-signed certificate for 127.0.0.1 and localhost, valid for two days, made by openssl(1).
// Who trusts the certificate file as a CA trusts the server that shows it.
class Certificate {
 public:
  Certificate();  // throws std::runtime_error with openssl's own words

  std::string certificate_file() const { return directory_.path("certificate.pem"); }
  std::string key_file() const { return directory_.path("key.pem"); }

 private:
  TemporaryDirectory directory_;
};

}  // namespace roomcheck::testkit
