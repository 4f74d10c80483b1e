#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <optional>

#include "ecs/metadata.h"

namespace oomdrill::ecs {
namespace {

constexpr std::size_t kMostBody = std::size_t{4} << 20;
constexpr std::size_t kMostHeaders = std::size_t{64} << 10;
constexpr int kOk = 200;

template <auto free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using Base = std::unique_ptr<event_base, Freer<event_base_free>>;
using Connection = std::unique_ptr<evhttp_connection, Freer<evhttp_connection_free>>;
using Uri = std::unique_ptr<evhttp_uri, Freer<evhttp_uri_free>>;

/// A write to a peer that has gone must be an error, whatever the program does about SIGPIPE.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &set_, &old_);
  }
  ~NoSigpipe() {
    const timespec now{};
    if (!was_pending_) sigtimedwait(&set_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &old_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t set_{};
  sigset_t old_{};
  bool was_pending_ = false;
};

struct Target {
  std::string address;  ///< numeric
  std::uint16_t port = 80;
  std::string host;  ///< as the Host header names it
  std::string path;
};

/// Only addresses: a name would have to be resolved, which may take for ever, and in a static
/// program needs what is not in it.
std::optional<std::string> numeric_address(std::string_view host) {
  if (host == "localhost") return "127.0.0.1";
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  const std::string text(bracketed ? host.substr(1, host.size() - 2) : host);
  in6_addr ignored;
  const int family = bracketed ? AF_INET6 : AF_INET;
  return inet_pton(family, text.c_str(), &ignored) == 1 ? std::optional(text) : std::nullopt;
}

Result<Target> parse_target(const std::string& url) {
  const Uri uri(evhttp_uri_parse(url.c_str()));
  const char* scheme = uri ? evhttp_uri_get_scheme(uri.get()) : nullptr;
  const char* host = uri ? evhttp_uri_get_host(uri.get()) : nullptr;
  const auto address = host != nullptr ? numeric_address(host) : std::nullopt;
  if (scheme == nullptr || std::strcmp(scheme, "http") != 0 || !address) {
    return fail("is no http:// URL of a numeric address", url);
  }
  Target target;
  target.address = *address;
  target.host = host;
  if (const int port = evhttp_uri_get_port(uri.get()); port >= 0) {
    target.port = static_cast<std::uint16_t>(port);
    target.host += ":" + std::to_string(port);
  }
  const char* path = evhttp_uri_get_path(uri.get());
  const char* query = evhttp_uri_get_query(uri.get());
  target.path = path != nullptr && *path != '\0' ? path : "/";
  if (query != nullptr) target.path += "?" + std::string(query);
  return target;
}

struct Answer {
  event_base* base;
  int status = 0;
  std::string body;
  std::string failure;  ///< empty while there is none
};

void take_error(evhttp_request_error error, void* context) {
  auto* answer = static_cast<Answer*>(context);
  switch (error) {
    case EVREQ_HTTP_TIMEOUT:
      break;  // told as our own time-out is
    case EVREQ_HTTP_EOF:
      answer->failure = "the connection ended before the answer did";
      break;
    case EVREQ_HTTP_INVALID_HEADER:
      answer->failure = "the answer is not HTTP";
      break;
    case EVREQ_HTTP_DATA_TOO_LONG:
      answer->failure = "the answer is too large, or its chunks are broken";
      break;
    case EVREQ_HTTP_BUFFER_ERROR:
    case EVREQ_HTTP_REQUEST_CANCEL:
      answer->failure = "the connection failed";
      break;
  }
}

/// `request` is null where the exchange failed, and without a status where no connection was made.
void take(evhttp_request* request, void* context) {
  auto* answer = static_cast<Answer*>(context);
  event_base_loopbreak(answer->base);
  if (request == nullptr) return;
  answer->status = evhttp_request_get_response_code(request);
  if (answer->status == 0) {
    answer->failure = "cannot connect";
    return;
  }
  evbuffer* input = evhttp_request_get_input_buffer(request);
  answer->body.resize(evbuffer_get_length(input));
  evbuffer_remove(input, answer->body.data(), answer->body.size());
}

timeval to_timeval(Nanoseconds duration) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return {.tv_sec = us / 1'000'000, .tv_usec = us % 1'000'000};
}

}  // namespace

Result<std::string> http_get(const std::string& url, Nanoseconds timeout) {
  const auto target = parse_target(url);
  if (!target) return fail(target.error());

  const NoSigpipe no_sigpipe;
  const Base base(event_base_new());
  if (!base) return fail("cannot wait for network events", url);
  Answer answer{.base = base.get(), .status = 0, .body = {}, .failure = {}};
  const Connection connection(
      evhttp_connection_base_new(base.get(), nullptr, target->address.c_str(), target->port));
  if (!connection) return fail("cannot make a connection", url);
  evhttp_connection_set_max_body_size(connection.get(), kMostBody);
  evhttp_connection_set_max_headers_size(connection.get(), kMostHeaders);
  const timeval limit = to_timeval(timeout);
  evhttp_connection_set_timeout_tv(connection.get(), &limit);
  evhttp_request* request = evhttp_request_new(take, &answer);
  if (request == nullptr) return fail("cannot make a request", url);
  evhttp_request_set_error_cb(request, take_error);
  evkeyvalq* headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Host", target->host.c_str());
  evhttp_add_header(headers, "Connection", "close");
  // One timer over the whole exchange: the connection's own starts again with every byte.
  event_base_loopexit(base.get(), &limit);
  // The connection owns the request from here on, also where this fails.
  if (evhttp_make_request(connection.get(), request, EVHTTP_REQ_GET, target->path.c_str()) != 0) {
    return fail("cannot send a request", url);
  }
  event_base_dispatch(base.get());
  if (!answer.failure.empty()) return fail(std::move(answer.failure), url);
  if (answer.status == 0) return fail("no answer within " + format_duration(timeout), url);
  if (answer.status != kOk) {
    return fail("answered with status " + std::to_string(answer.status), url);
  }
  return std::move(answer.body);
}

}  // namespace oomdrill::ecs
