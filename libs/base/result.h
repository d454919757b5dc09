#pragma once
#include <cassert>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace roomcheck {

// An expected failure of the outside world, named by what the caller should do about it, with one sentence
// for a person: what failed, where, and the remedy.
//
// If you add a kind here: to_string() in result.cpp, and whoever maps kinds to exit codes (libs/program).
struct Error {
  enum class Kind {
    bad_input,    // what we were given is wrong; trying again does not help
    refused,      // the other side said no (an HTTP status, a closed port)
    timeout,      // nothing came within the limit
    closed,       // the connection ended
    full,         // a bounded queue is full (Channels: ChannelFull)
    unsupported,  // this implementation does not have the operation, by design
    system        // the operating system or a library failed
  };
  Kind kind = Kind::system;
  std::string message;
};

std::string_view to_string(Error::Kind kind);

// A value or an Error. Expected outcomes of I/O travel in Results; exceptions are for bad input before the
// start (BadInput, below) and never cross an io_context handler.
//
// REQUIRES: value() only when ok(), error() only when not.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    assert(error_);
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

// Bad input before the start: an option, a profile, a scenario, a result file. Thrown at the edge, caught
// once in libs/program, printed as one sentence, exit code 2. what() names the place (file, line or JSON
// pointer) and the remedy.
class BadInput : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The target or the harness failed before there was anything to judge (cannot connect, cannot listen): exit
// code 3.
class StartFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace roomcheck
