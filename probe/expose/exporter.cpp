#include "expose/exporter.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "monitor.h"

namespace oomdrill::probe {
namespace {

constexpr std::string_view kRemedy =
    "give :PORT, ADDRESS:PORT, or the path of a file whose name ends in .prom";

Result<ExportTarget> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto wrong = [text] {
    return fail("'" + std::string(text) + "' is no address to listen on", {}, std::string(kRemedy));
  };
  if (colon == std::string_view::npos) return wrong();
  std::string host(text.substr(0, colon));
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size() || port == 0) {
    return wrong();
  }
  ExportTarget target;
  target.address.sin6_family = AF_INET6;
  target.address.sin6_port = htons(port);
  if (host.empty()) return target;  // all addresses
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else {
    host = "::ffff:" + host;  // of IPv4, on the one kind of socket that takes both
  }
  if (::inet_pton(AF_INET6, host.c_str(), &target.address.sin6_addr) != 1) return wrong();
  return target;
}

/// Of a kernel without IPv6: the same place in IPv4. False: there is none.
bool as_ipv4(const sockaddr_in6& wide, sockaddr_in& out) {
  out = {};
  out.sin_family = AF_INET;
  out.sin_port = wide.sin6_port;
  if (IN6_IS_ADDR_UNSPECIFIED(&wide.sin6_addr)) return true;
  if (!IN6_IS_ADDR_V4MAPPED(&wide.sin6_addr)) return false;
  std::copy_n(wide.sin6_addr.s6_addr + 12, 4, reinterpret_cast<unsigned char*>(&out.sin_addr));
  return true;
}

Result<Fd> listen_on(const sockaddr_in6& address) {
  constexpr int kKind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const std::string where = fmt::format("port {}", ntohs(address.sin6_port));
  const auto failure = [&where] {
    return fail_errno("cannot listen", where, "name another port, or an address of this machine");
  };
  Fd fd(::socket(AF_INET6, kKind, 0));
  sockaddr_in narrow{};
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (!fd && errno == EAFNOSUPPORT && as_ipv4(address, narrow)) {
    fd = Fd(::socket(AF_INET, kKind, 0));
    name = reinterpret_cast<const sockaddr*>(&narrow);
    size = sizeof narrow;
  }
  if (!fd) return failure();
  const int on = 1, off = 0, seconds = 5;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  // accept() answers when a request is there to read, so that no state of half a request is kept.
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
  const int room = 4 * static_cast<int>(kMostExposition);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  constexpr int kBacklog = 4;
  if (::bind(fd.get(), name, size) != 0 || ::listen(fd.get(), kBacklog) != 0) return failure();
  return fd;
}

std::string_view status_of(std::string_view request) {
  if (!request.starts_with("GET ")) return "405 Method Not Allowed";
  request.remove_prefix(4);
  const auto path = request.substr(0, request.find_first_of(" ?\r\n"));
  return path == "/metrics" ? "200 OK" : "404 Not Found";
}

/// What is there to read is read: closing a socket with unread data would reset the connection,
/// and its peer might lose the answer.
std::size_t read_all(int fd, std::span<char> buffer) {
  std::size_t first = 0;
  for (;;) {
    const auto n = ::recv(fd, buffer.data() + first, buffer.size() - first, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return first;
    // Only the request's beginning matters.
    if (first == 0) first = std::min<std::size_t>(static_cast<std::size_t>(n), 256);
  }
}

}  // namespace

Result<ExportTarget> parse_export_target(std::string_view text) {
  if (text.ends_with(".prom")) return ExportTarget{std::string(text), {}};
  if (text.find('/') != std::string_view::npos) {
    return fail("'" + std::string(text) + "' does not end in .prom", {},
                "the textfile collector reads no other name");
  }
  return parse_address(text);
}

Result<Exporter> Exporter::open(const ExportTarget& target, Nanoseconds interval) {
  Exporter out;
  out.interval_ = interval;
  if (target.file.empty()) {
    auto listener = listen_on(target.address);
    if (!listener) return fail(std::move(listener).error());
    out.listener_ = std::move(*listener);
    return out;
  }
  const auto slash = target.file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : target.file.substr(0, slash + 1);
  auto opened = open_file(folder, O_PATH | O_DIRECTORY);
  if (!opened) return fail(std::move(opened).error());
  out.folder_ = std::move(*opened);
  out.name_ = slash == std::string::npos ? target.file : target.file.substr(slash + 1);
  out.draft_ = fmt::format(".{}.{}", out.name_, ::getpid());
  if (const auto done = out.replace(""); !done)
    return fail(Error(done.error()).within(target.file));
  return out;
}

Result<void> Exporter::replace(std::string_view text) {
  const Fd fd(
      ::openat(folder_.get(), draft_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  bool written = fd.valid();
  while (written && !text.empty()) {
    const auto n = ::write(fd.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    written = n > 0;
    if (written) text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (written && ::renameat(folder_.get(), draft_.c_str(), folder_.get(), name_.c_str()) == 0) {
    return {};
  }
  const int error = errno;
  if (fd) ::unlinkat(folder_.get(), draft_.c_str(), 0);
  errno = error;
  return fail_errno("cannot be replaced", {}, "name a file in a folder that is writable");
}

void Exporter::serve(Monitor& monitor) {
  Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!client) return;
  const std::size_t read = read_all(client.get(), buffer_);
  const std::string_view status = status_of({buffer_.data(), read});
  const bool found = status.starts_with("200");
  // The head is written in front of the body, whose size it tells.
  constexpr std::size_t kHead = 256;
  const std::span<char> body = std::span(buffer_).subspan(kHead);
  const std::size_t size = found ? monitor.expose(body) : 0;
  const auto head = fmt::format_to_n(buffer_.data(), kHead,
                                     "HTTP/1.1 {}\r\n"
                                     "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                                     "Content-Length: {}\r\nConnection: close\r\n\r\n",
                                     status, size);
  std::copy_backward(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(head.size),
                     buffer_.begin() + kHead);
  // A new socket's buffer takes all of it at once.
  (void)::send(client.get(), buffer_.data() + kHead - head.size, head.size + size,
               MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(client.get(), SHUT_WR);
  client_ = std::move(client);
}

void Exporter::drain() {
  std::array<char, 512> unread;
  const auto n = ::recv(client_.get(), unread.data(), unread.size(), MSG_DONTWAIT);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) client_.reset();
}

void Exporter::refresh(Monitor& monitor, Nanoseconds now) {
  if (!folder_ || now < due_) return;
  due_ = now + interval_;
  finish(monitor);
}

void Exporter::finish(Monitor& monitor) {
  if (!folder_) return;
  const std::size_t size = monitor.expose(buffer_);
  // A disk that is full for a while is no reason to stop; the file's own age tells of it.
  (void)replace({buffer_.data(), size});
}

}  // namespace oomdrill::probe
