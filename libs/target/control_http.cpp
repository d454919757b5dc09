#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <mutex>

#include "libs/target/control_kinds.h"
#include "libs/websocket/url.h"

namespace roomcheck::target {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = boost::asio::ip::tcp;

// The reference server's control API (docs/PROFILES.md).
class HttpControl final : public Control {
 public:
  HttpControl(websocket::Url url, std::string token, std::chrono::nanoseconds limit)
      : url_(std::move(url)), token_(std::move(token)), limit_(limit) {}

  Result<void> group_send(const std::string& group, const event::Event& event) override {
    return without_body(
        call(http::verb::post, "/groups/" + websocket::percent_encode(group) + "/send", event.dump()));
  }
  Result<void> channel_send(const std::string& channel, const event::Event& event) override {
    return without_body(
        call(http::verb::post, "/channels/" + websocket::percent_encode(channel) + "/send", event.dump()));
  }
  Result<std::vector<std::string>> members(const std::string& group) override {
    const Result<std::string> body =
        call(http::verb::get, "/groups/" + websocket::percent_encode(group) + "/channels", "");
    if (!body.ok()) return body.error();
    try {
      return nlohmann::json::parse(*body).at("channels").get<std::vector<std::string>>();
    } catch (const nlohmann::json::exception&) {
      return Error{Error::Kind::system,
                   describe() + " answered without a list \"channels\": is it a control API?"};
    }
  }
  std::string describe() const override { return url_.scheme + "://" + url_.host_header(); }

 private:
  static Result<void> without_body(const Result<std::string>& result) {
    return result.ok() ? Result<void>() : Result<void>(result.error());
  }

  // Everything asynchronous under one time limit; the loop runs here until it is done.
  Result<std::string> call(http::verb method, const std::string& target, const std::string& body) {
    const std::lock_guard lock(mu_);
    boost::asio::io_context io;
    beast::tcp_stream stream(io);
    tcp::resolver resolver(io);
    http::request<http::string_body> request(method, target, 11);
    request.set(http::field::host, url_.host_header());
    if (!token_.empty()) request.set(http::field::authorization, "Bearer " + token_);
    if (method == http::verb::post) {
      request.set(http::field::content_type, "application/json");
      request.body() = body;
      request.prepare_payload();
    }
    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    beast::error_code failed;
    const auto then = [&failed](auto next) {
      return [&failed, next](beast::error_code code, auto&&...) {
        failed = code;
        if (!code) next();
      };
    };
    stream.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(limit_));
    beast::error_code resolving;
    const auto addresses = resolver.resolve(url_.host, std::to_string(url_.port), resolving);
    if (resolving)
      return Error{Error::Kind::refused,
                   "the control " + describe() + " cannot be resolved: " + resolving.message()};
    stream.async_connect(addresses, then([&] {
                           http::async_write(stream, request, then([&] {
                                               http::async_read(stream, buffer, response, then([] {}));
                                             }));
                         }));
    io.run();
    if (failed == beast::error::timeout)
      return Error{Error::Kind::timeout,
                   "the control " + describe() + " did not answer within its time limit"};
    if (failed)
      return Error{Error::Kind::refused, "the control " + describe() + " cannot be reached: " +
                                             failed.message() + " (is --control right?)"};
    if (response.result_int() == 200) return response.body();
    return refusal(static_cast<int>(response.result_int()), response.body());
  }

  Error refusal(int status, const std::string& body) const {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    const std::string why = json.is_object() ? json.value("error", body) : body;
    switch (status) {
      case 400:
        return {Error::Kind::bad_input, why};
      case 401:
      case 403:
        return {Error::Kind::refused, "the control " + describe() + " wants another --control-token: " + why};
      case 404:
        return {Error::Kind::unsupported, "the control " + describe() + " does not have this: " + why};
      case 503:
        return {Error::Kind::full, why};
      default:
        return {Error::Kind::system,
                "the control " + describe() + " answered HTTP " + std::to_string(status) + ": " + why};
    }
  }

  const websocket::Url url_;
  const std::string token_;
  const std::chrono::nanoseconds limit_;
  std::mutex mu_;
};

}  // namespace

std::unique_ptr<Control> make_http_control(const std::string& address, const std::string& token,
                                           std::chrono::nanoseconds limit) {
  if (address.compare(0, 7, "http://") != 0)
    throw BadInput("--control " + address + ": expected http://HOST:PORT, the address of a control API");
  return std::make_unique<HttpControl>(websocket::parse_url(address), token, limit);
}

}  // namespace roomcheck::target
