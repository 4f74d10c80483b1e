#include "expose/exporter.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "../fakes.h"
#include "fixture_tree.h"

namespace oomdrill::probe {
namespace {

ExportTarget target_of(const std::string& text) {
  auto target = parse_export_target(text);
  EXPECT_TRUE(target) << text;
  return target ? *target : ExportTarget{};
}

TEST(ExportTarget, IsAFileOrAnAddress) {
  EXPECT_EQ(target_of("/run/oomprobe.prom").file, "/run/oomprobe.prom");
  EXPECT_EQ(ntohs(target_of(":9464").address.sin6_port), 9464);
  const auto six = target_of("[::1]:9464"), four = target_of("127.0.0.1:9464");
  EXPECT_TRUE(IN6_IS_ADDR_LOOPBACK(&six.address.sin6_addr));
  EXPECT_TRUE(IN6_IS_ADDR_V4MAPPED(&four.address.sin6_addr));
  for (const char* wrong : {"", "9464", ":", ":0", ":65536", ":94x", "name:9464", "::1:x",
                            "/run/oomprobe.txt", "/run:80"}) {
    EXPECT_FALSE(parse_export_target(wrong)) << wrong;
  }
}

/// A free port of this machine, as ":PORT".
std::string free_port() {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  socklen_t size = sizeof name;
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
  return ":" + std::to_string(ntohs(name.sin_port));
}

class ExporterTest : public ::testing::Test {
 protected:
  ExporterTest() : rig(sink) { rig.monitor.start({}); }

  static Fd connect_to(const ExportTarget& target) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = target.address.sin6_port;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    return fd;
  }
  /// As the loop does, until there is nothing left to do.
  void serve(Exporter& exporter) {
    for (;;) {
      pollfd fds[] = {{exporter.listener(), POLLIN, 0}, {exporter.client(), POLLIN, 0}};
      if (::poll(fds, 2, 200) <= 0) return;
      if (fds[1].revents != 0) exporter.drain();
      if (fds[0].revents != 0) exporter.serve(rig.monitor);
    }
  }
  std::string answer(Exporter& exporter, const ExportTarget& target, const std::string& request) {
    Fd fd = connect_to(target);
    EXPECT_EQ(::send(fd.get(), request.data(), request.size(), 0),
              static_cast<ssize_t>(request.size()));
    serve(exporter);
    std::string out;
    char buffer[4096];
    for (ssize_t n; (n = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;) {
      out.append(buffer, static_cast<std::size_t>(n));
    }
    fd.reset();
    serve(exporter);
    return out;
  }

  fake::NullSink sink;
  fake::Rig rig;
};

TEST_F(ExporterTest, AnswersOneRequestAfterAnother) {
  const auto target = target_of(free_port());
  auto exporter = Exporter::open(target, std::chrono::seconds(1));
  ASSERT_TRUE(exporter) << exporter.error().line();
  for (int i = 0; i < 3; ++i) {
    const auto text = answer(*exporter, target, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto body = text.find("\r\n\r\n") + 4;
    ASSERT_TRUE(text.starts_with("HTTP/1.1 200 OK\r\n")) << text;
    EXPECT_NE(text.find("Content-Length: " + std::to_string(text.size() - body) + "\r\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("\noomprobe_memory_used_bytes 10485760\n", body), std::string::npos);
    EXPECT_EQ(exporter->client(), -1) << "it has hung up";
  }
  EXPECT_TRUE(
      answer(*exporter, target, "GET /metrics?x HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(answer(*exporter, target, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(
      answer(*exporter, target, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
  EXPECT_TRUE(answer(*exporter, target, std::string(9000, 'x')).starts_with("HTTP/1.1 405"));
}

TEST_F(ExporterTest, NobodyIsWaitedFor) {
  const auto target = target_of(free_port());
  auto exporter = Exporter::open(target, std::chrono::seconds(1));
  ASSERT_TRUE(exporter);
  const Fd silent = connect_to(target);
  serve(*exporter);
  Fd rude = connect_to(target);
  ASSERT_EQ(::send(rude.get(), "GET /metrics", 12, 0), 12);
  rude.reset();
  serve(*exporter);
  EXPECT_TRUE(
      answer(*exporter, target, "GET /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200"));
}

TEST_F(ExporterTest, ATakenPortIsToldAtTheStart) {
  const auto target = target_of(free_port());
  const auto first = Exporter::open(target, std::chrono::seconds(1));
  ASSERT_TRUE(first);
  const auto second = Exporter::open(target, std::chrono::seconds(1));
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().line().find("Address already in use"), std::string::npos);
}

TEST_F(ExporterTest, TheFileIsReplacedWholeOnceAnInterval) {
  test::FixtureTree tree;
  tree.file("/keep", "");
  const std::string path = tree.root() / "/oomprobe.prom";
  auto exporter = Exporter::open(target_of(path), std::chrono::seconds(10));
  ASSERT_TRUE(exporter) << exporter.error().line();
  const auto first = open_file(path, O_RDONLY);
  ASSERT_TRUE(first);
  exporter->refresh(rig.monitor, std::chrono::seconds(1));
  char byte = 0;
  EXPECT_EQ(::pread(first->get(), &byte, 1, 0), 0) << "a reader keeps the file that it opened";
  EXPECT_NE(read_file(path)->find("oomprobe_memory_used_bytes 10485760\n"), std::string::npos);
  rig.source.next.sample.current = 11 * fake::kMiB;
  rig.step(std::chrono::seconds(2));
  exporter->refresh(rig.monitor, std::chrono::seconds(2));
  EXPECT_NE(read_file(path)->find("oomprobe_memory_used_bytes 10485760\n"), std::string::npos);
  exporter->refresh(rig.monitor, std::chrono::seconds(12));
  EXPECT_NE(read_file(path)->find("oomprobe_memory_used_bytes 11534336\n"), std::string::npos);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(tree.root() / "/")) {
    (void)entry;
    ++files;
  }
  EXPECT_EQ(files, 2U) << "no draft is left";
  EXPECT_FALSE(Exporter::open(target_of("/no/such/x.prom"), std::chrono::seconds(1)));
}

}  // namespace
}  // namespace oomdrill::probe
