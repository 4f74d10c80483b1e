#include <unistd.h>

#include <charconv>
#include <cstring>

#include "run/engine.h"
#include "run/process.h"

namespace oomdrill::run {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);

class DockerRoom final : public Room {
 public:
  DockerRoom(std::string docker, Wish wish) : docker_(std::move(docker)), wish_(std::move(wish)) {}

  /// DOCKER_HOST and the like reach the docker command by our own environment.
  [[nodiscard]] std::vector<std::string> wrap(std::vector<std::string> argv) const override {
    const std::string memory = std::to_string(wish_.memory_bytes);
    std::vector<std::string> words = {docker_,    "run",  "--name",        wish_.name,
                                      "--memory", memory, "--memory-swap", memory};
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const std::string_view text(*variable);
      if (text.starts_with("LEAKSIM_") || text.starts_with("OOMPROBE_")) {
        words.emplace_back("--env");
        words.emplace_back(text.substr(0, text.find('=')));
      }
    }
    words.push_back(wish_.image);
    words.insert(words.end(), argv.begin(), argv.end());
    return words;
  }

  [[nodiscard]] bool is_cheap() const override { return false; }
  Result<Observation> observe() override {
    static const std::string kFormat =
        "{{.HostConfig.Memory}} {{.State.Status}} {{.State.OOMKilled}} {{.State.ExitCode}}";
    const auto shown = run_to_end(
        {docker_, "inspect", "--type", "container", "--format", kFormat, wish_.name}, kPatience);
    if (!shown) return fail(shown.error());
    if (!shown->ok()) return fail(shown->reason(), where());
    char status[32] = {};
    char oom_killed[8] = {};
    unsigned long long memory = 0;
    int exit_code = 0;
    if (std::sscanf(shown->out.c_str(), "%llu %31s %7s %d", &memory, status, oom_killed,
                    &exit_code) != 4) {
      return fail("docker inspect answers '" + shown->out + "'", where());
    }
    Observation seen;
    seen.limit_bytes = memory;
    if (std::strcmp(status, "exited") == 0 || std::strcmp(status, "dead") == 0) {
      seen.engine_oom_killed = std::strcmp(oom_killed, "true") == 0;
      seen.engine_exit_code = exit_code;
    }
    return seen;
  }

  void kill_all() override { (void)run_to_end({docker_, "kill", wish_.name}, kPatience); }

  Result<void> remove() override {
    const auto removed = run_to_end({docker_, "rm", "--force", wish_.name}, kPatience);
    if (!removed) return fail(removed.error());
    // No such container: docker run has refused to make it.
    if (removed->ok() || removed->err.find("No such container") != std::string::npos) return {};
    return fail(removed->reason(), where(), "remove it with: " + removal());
  }

  [[nodiscard]] std::string where() const override { return "container " + wish_.name; }
  [[nodiscard]] std::string removal() const override { return "docker rm -f " + wish_.name; }

 private:
  std::string docker_;
  Wish wish_;
};

}  // namespace

Result<std::unique_ptr<Room>> make_docker_room(const Wish& wish) {
  auto docker = find_on_path("docker");
  if (!docker) return fail(docker.error());
  const auto server =
      run_to_end({*docker, "version", "--format", "{{.Server.Version}}"}, kPatience);
  if (!server) return fail(server.error());
  if (!server->ok()) {
    return fail(server->reason(), "docker", "start dockerd, or set DOCKER_HOST");
  }
  const auto image =
      run_to_end({*docker, "image", "inspect", "--format", "{{.Id}}", wish.image}, kPatience);
  if (!image) return fail(image.error());
  if (!image->ok()) {
    return fail("there is no image '" + wish.image + "'", "docker",
                "docker build -t " + wish.image + " . or name another with --image");
  }
  return std::make_unique<DockerRoom>(*docker, wish);
}

}  // namespace oomdrill::run
