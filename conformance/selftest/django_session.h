#pragma once
#include <cstdint>
#include <string>

namespace roomcheck::conformance {

// The Cookie header of a session that a Django site with this SECRET_KEY gave to a user, where its sessions
// are in signed cookies. Written here once more, from Django's own documentation of its signer, so that the
// judge does not trust the reference server's reading of it.
std::string django_session(const std::string& secret_key, const std::string& user_id,
                           std::int64_t unix_seconds);

}  // namespace roomcheck::conformance
