#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <thread>

#include "ecs/metadata.h"
#include "http_endpoint.h"

namespace oomdrill::ecs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::HttpEndpoint;
using Reply = HttpEndpoint::Reply;

constexpr seconds kPatience{60};
constexpr milliseconds kImpatience{50};

/// The body, or "error: …" without the URL.
std::string get(const Reply& reply, Nanoseconds timeout = kPatience) {
  const HttpEndpoint endpoint([&reply](const std::string&) { return reply; });
  const auto body = http_get(endpoint.url(), timeout);
  if (body) return *body;
  EXPECT_EQ(body.error().where, endpoint.url());
  return "error: " + body.error().what;
}

Reply raw(std::vector<std::string> pieces, bool hang = false) {
  return {std::move(pieces), {}, hang};
}

TEST(HttpGet, ReadsABody) {
  EXPECT_EQ(get(HttpEndpoint::ok("{\"a\":1}")), "{\"a\":1}");
  EXPECT_EQ(get(HttpEndpoint::ok("")), "");
  EXPECT_EQ(get(HttpEndpoint::ok(std::string("\0\xff", 2))), std::string("\0\xff", 2));
}

TEST(HttpGet, ReadsABodyThatTheEndOfTheConnectionEnds) {
  EXPECT_EQ(get(raw({"HTTP/1.1 200 OK\r\n\r\n", "till the end"})), "till the end");
  EXPECT_EQ(get(raw({"HTTP/1.0 200 OK\r\n\r\nold"})), "old");
}

TEST(HttpGet, ReadsChunks) {
  EXPECT_EQ(get(raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\nWiki\r\n",
                     "5\r\npedia\r\n", "0\r\n\r\n"})),
            "Wikipedia");
}

TEST(HttpGet, ReadsWhatComesInPieces) {
  Reply reply;
  const std::string whole = HttpEndpoint::ok("slow but whole").pieces[0];
  for (const char c : whole) reply.pieces.emplace_back(1, c);
  reply.between = milliseconds(1);
  EXPECT_EQ(get(reply), "slow but whole");
}

TEST(HttpGet, SendsPathQueryAndHost) {
  const HttpEndpoint endpoint([](const std::string&) { return HttpEndpoint::ok("x"); });
  ASSERT_TRUE(http_get(endpoint.url() + "/a/b?c=d", kPatience));
  ASSERT_TRUE(http_get(endpoint.url(), kPatience));
  ASSERT_TRUE(http_get("http://localhost:" + std::to_string(endpoint.port()), kPatience));
  const auto requests = endpoint.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_TRUE(requests[0].starts_with("GET /a/b?c=d HTTP/1.1\r\n")) << requests[0];
  EXPECT_TRUE(requests[1].starts_with("GET / HTTP/1.1\r\n")) << requests[1];
  EXPECT_NE(requests[2].find("\r\nHost: localhost:"), std::string::npos) << requests[2];
}

TEST(HttpGet, SpeaksIpv6) {
  const Fd probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  if (!probe || ::bind(probe.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    GTEST_SKIP() << "this machine has no ::1";
  }
  const HttpEndpoint endpoint([](const std::string&) { return HttpEndpoint::ok("six"); }, true);
  const auto body = http_get(endpoint.url() + "/x", kPatience);
  ASSERT_TRUE(body) << body.error().line();
  EXPECT_EQ(*body, "six");
}

TEST(HttpGet, TakesNoOtherStatus) {
  for (const int code : {201, 204, 301, 302, 400, 404, 500, 503}) {
    EXPECT_EQ(get(HttpEndpoint::status(code)),
              "error: answered with status " + std::to_string(code));
  }
}

TEST(HttpGet, GivesUpOnSilence) {
  EXPECT_EQ(get(raw({}, true), kImpatience), "error: no answer within 50 ms");
  EXPECT_EQ(get(raw({"HTTP/1.1 200 OK\r\nContent-Le"}, true), kImpatience),
            "error: no answer within 50 ms");
  EXPECT_EQ(get(raw({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"}, true), kImpatience),
            "error: no answer within 50 ms");
  EXPECT_EQ(get(HttpEndpoint::ok("x"), Nanoseconds(0)), "error: no answer within 0 ms");
}

// Each byte comes well within the time-out; all of them would take a minute.
TEST(HttpGet, GivesUpOnADrip) {
  Reply reply{{"HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n\r\n"}, milliseconds(10), false};
  for (int i = 0; i < 6000; ++i) reply.pieces.emplace_back("x");
  EXPECT_EQ(get(reply, milliseconds(200)), "error: no answer within 200 ms");
}

TEST(HttpGet, TellsAnAnswerThatEndsEarly) {
  const std::string early = "error: the connection ended before the answer did";
  EXPECT_EQ(get(raw({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"})), early);
  EXPECT_EQ(get(raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"})), early);
  EXPECT_EQ(get(raw({"HTTP/1.1 200 OK\r\nContent-"})), early);
  EXPECT_EQ(get(raw({})), early);
}

constexpr const char* kTooLarge = "error: the answer is too large, or its chunks are broken";

TEST(HttpGet, TellsWhatIsNotHttp) {
  EXPECT_EQ(get(raw({"SSH-2.0-OpenSSH_9.2\r\n\r\n"})), "error: the answer is not HTTP");
  EXPECT_EQ(get(raw({"HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\nx"})),
            "error: the answer is not HTTP");
  EXPECT_EQ(get(raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"})), kTooLarge);
}

TEST(HttpGet, TakesNoMoreThanFourMebibytes) {
  const std::string body(std::size_t{4} << 20U, 'x');
  EXPECT_EQ(get(HttpEndpoint::ok(body)).size(), body.size());
  EXPECT_EQ(get(HttpEndpoint::ok(body + "x")), kTooLarge);
  EXPECT_EQ(get(raw({"HTTP/1.1 200 OK\r\n\r\n", body, "x"})), kTooLarge);
  EXPECT_EQ(
      get(raw({"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"})).substr(0, 6),
      "error:");
  // Headers without an end.
  const std::string header = "X: " + std::string(1000, 'x') + "\r\n";
  Reply endless{{"HTTP/1.1 200 OK\r\n"}, {}, false};
  for (int i = 0; i < 100; ++i) endless.pieces.push_back(header);
  EXPECT_EQ(get(endless).substr(0, 6), "error:");
}

TEST(HttpGet, TellsARefusedConnection) {
  std::string url;
  {
    const HttpEndpoint gone([](const std::string&) { return Reply{}; });
    url = gone.url();
  }
  const auto body = http_get(url, kPatience);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().line(), url + ": cannot connect");
}

TEST(HttpGet, TakesOnlyNumericHttpUrls) {
  for (const char* url :
       {"", "127.0.0.1", "/path", "https://127.0.0.1/", "ftp://127.0.0.1/", "http://", "http:///x",
        "http://example.com/", "http://metadata/", "http://127.0.0.1.example/", "http://[::1",
        "http://::1/", "http://[127.0.0.1]/", "http://127.0.0.1:99999/", "http://127.0.0.1:x/",
        "http://127.1/", "http://127.0.0.1/a b"}) {
    const auto body = http_get(url, kPatience);
    ASSERT_FALSE(body) << url;
    EXPECT_EQ(body.error().line().find("cannot connect"), std::string::npos) << body.error().line();
  }
}

TEST(HttpGet, WorksManyTimesAtOnce) {
  const HttpEndpoint endpoint([](const std::string& path) { return HttpEndpoint::ok(path); });
  const auto ask = [&endpoint](int client) {
    for (int k = 0; k < 10; ++k) {
      const std::string path = "/" + std::to_string(client) + "/" + std::to_string(k);
      const auto body = http_get(endpoint.url() + path, kPatience);
      EXPECT_EQ(body ? *body : body.error().line(), path);
    }
  };
  std::array clients = {std::thread(ask, 0), std::thread(ask, 1), std::thread(ask, 2),
                        std::thread(ask, 3)};
  for (std::thread& client : clients) client.join();
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

TEST(HttpGet, LeavesNothingBehind) {
  const std::size_t before = open_descriptors();
  get(HttpEndpoint::ok("x"));
  get(raw({}, true), kImpatience);
  get(raw({}));
  http_get("http://127.0.0.1:1/", kPatience);
  EXPECT_EQ(open_descriptors(), before);
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGPIPE), 0);
}

}  // namespace
}  // namespace oomdrill::ecs
