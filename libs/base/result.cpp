#include "libs/base/result.h"

namespace roomcheck {

std::string_view to_string(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::bad_input:
      return "bad input";
    case Error::Kind::refused:
      return "refused";
    case Error::Kind::timeout:
      return "timeout";
    case Error::Kind::closed:
      return "closed";
    case Error::Kind::full:
      return "full";
    case Error::Kind::unsupported:
      return "unsupported";
    case Error::Kind::system:
      return "system";
  }
  return "unknown";
}

}  // namespace roomcheck
