// What is built in place of the chat page with -DROOMCHECK_WEB=OFF.
#include "reference_server/web/assets.h"

namespace roomcheck::reference_server::web {

const std::vector<Asset>& assets() {
  static const std::vector<Asset> none;
  return none;
}

}  // namespace roomcheck::reference_server::web
