#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"

namespace oomdrill::test {

/// A server on 127.0.0.1 that answers as a test says, rightly or wrongly. A thread a connection.
class HttpEndpoint {
 public:
  struct Reply {
    std::vector<std::string> pieces;  ///< raw, with status line and headers
    std::chrono::milliseconds between{0};
    bool hang = false;  ///< behind the pieces: nothing more comes, and nothing is closed
  };
  using Handler = std::function<Reply(const std::string& path)>;

  explicit HttpEndpoint(Handler handler, bool ipv6 = false)
      : handler_(std::move(handler)), stop_(::eventfd(0, EFD_CLOEXEC)) {
    sockaddr_storage address{};
    socklen_t size = 0;
    if (ipv6) {
      auto* in6 = reinterpret_cast<sockaddr_in6*>(&address);
      in6->sin6_family = AF_INET6;
      in6->sin6_addr = in6addr_loopback;
      size = sizeof *in6;
    } else {
      auto* in = reinterpret_cast<sockaddr_in*>(&address);
      in->sin_family = AF_INET;
      in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      size = sizeof *in;
    }
    listener_ = Fd(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
        ::getsockname(listener_.get(), generic, &size) != 0) {
      throw std::runtime_error("no loopback socket");
    }
    // sin_port and sin6_port are at the same place.
    port_ = ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
    url_ = std::string(ipv6 ? "http://[::1]:" : "http://127.0.0.1:") + std::to_string(port_);
    acceptor_ = std::thread([this] {
      accepts_ = true;
      accepts_.notify_one();
      accept_all();
    });
    // A test forks its probe: AddressSanitizer's allocator, which a thread uses as it begins, stays
    // locked in the child where the fork finds it so.
    accepts_.wait(false);
  }
  ~HttpEndpoint() {
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
    acceptor_.join();
    for (std::thread& connection : connections_) connection.join();
  }
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] int port() const { return port_; }
  /// What clients sent so far, in full.
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  static Reply ok(const std::string& body) {
    return {{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n\r\n" + body},
            {},
            false};
  }
  static Reply status(int code) {
    return {
        {"HTTP/1.1 " + std::to_string(code) + " Status\r\nContent-Length: 2\r\n\r\n{}"}, {}, false};
  }

 private:
  /// False: the test is over, or `timeout` passed.
  [[nodiscard]] bool readable(int fd, int timeout_ms = -1) const {
    std::array entries = {pollfd{fd, POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
    ::poll(entries.data(), entries.size(), timeout_ms);
    return entries[1].revents == 0 && entries[0].revents != 0;
  }
  void accept_all() {
    while (readable(listener_.get())) {
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) connections_.emplace_back([this, fd] { serve(Fd(fd)); });
    }
  }
  void serve(const Fd& fd) {
    std::string request;
    std::array<char, 4096> buffer;
    while (request.find("\r\n\r\n") == std::string::npos) {
      if (!readable(fd.get())) return;
      const auto n = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
      if (n <= 0) return;
      request.append(buffer.data(), static_cast<std::size_t>(n));
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const auto begin = request.find(' ') + 1;
    const Reply reply = handler_(request.substr(begin, request.find(' ', begin) - begin));
    for (const std::string& piece : reply.pieces) {
      std::size_t sent = 0;
      while (sent < piece.size()) {
        const auto n = ::send(fd.get(), piece.data() + sent, piece.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return;
        sent += static_cast<std::size_t>(n);
      }
      if (reply.between.count() > 0 &&
          readable(fd.get(), static_cast<int>(reply.between.count()))) {
        return;  // the client hung up
      }
    }
    if (reply.hang) (void)readable(fd.get());
  }

  Handler handler_;
  Fd stop_;
  Fd listener_;
  int port_ = 0;
  std::string url_;
  std::atomic<bool> accepts_ = false;
  std::thread acceptor_;
  std::vector<std::thread> connections_;  // the acceptor's until it is joined
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
};

}  // namespace oomdrill::test
