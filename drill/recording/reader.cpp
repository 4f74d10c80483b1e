#include "recording/reader.h"

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>

#include "base/file.h"

namespace oomdrill::recording {
namespace {

constexpr std::array<std::string_view, 4> kFamilies = {"probe.", "memory.", "workload.", "leak."};
/// How our encoders begin a line.
constexpr std::string_view kEventStart = R"({"event":")";

bool is_ours(std::string_view event) {
  for (const std::string_view family : kFamilies) {
    if (event.starts_with(family)) return true;
  }
  return false;
}

std::optional<simdjson::dom::element> find(const simdjson::dom::object& object,
                                           std::string_view path) {
  simdjson::dom::object at = object;
  for (;;) {
    const std::size_t dot = path.find('.');
    simdjson::dom::element element;
    if (at.at_key(path.substr(0, dot)).get(element) != simdjson::SUCCESS) return std::nullopt;
    if (dot == std::string_view::npos) return element;
    if (element.get(at) != simdjson::SUCCESS) return std::nullopt;
    path.remove_prefix(dot + 1);
  }
}

template <class T>
std::optional<T> get(const simdjson::dom::object& object, std::string_view path) {
  const auto element = find(object, path);
  T value{};
  if (!element || element->get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::uint64_t> Record::whole(std::string_view path) const {
  if (const auto value = get<std::uint64_t>(*object_, path)) return value;
  const auto value = get<double>(*object_, path);
  if (!value || !(*value >= 0 && *value < 1.8e19) || std::floor(*value) != *value) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*value);
}

std::optional<double> Record::real(std::string_view path) const {
  return get<double>(*object_, path);
}

std::optional<bool> Record::boolean(std::string_view path) const {
  return get<bool>(*object_, path);
}

std::optional<std::string_view> Record::text(std::string_view path) const {
  return get<std::string_view>(*object_, path);
}

struct Reader::Parser {
  simdjson::dom::parser json;
  simdjson::dom::object object;
};

Reader::Reader(OnRecord on_record)
    : on_record_(std::move(on_record)), parser_(std::make_unique<Parser>()) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

void Reader::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, newline);
    if (line_.size() + piece.size() > kLongestLine) {
      overlong_ = true;
      line_.append(piece.substr(0, kLongestLine - line_.size()));
    } else {
      line_.append(piece);
    }
    if (newline == std::string_view::npos) return;
    end_line();
    bytes.remove_prefix(newline + 1);
  }
}

void Reader::finish() {
  if (!line_.empty()) end_line();
}

void Reader::broken(std::string what) {
  ++counts_.broken;
  if (problems_.size() < kKeptProblems) problems_.push_back({counts_.lines, std::move(what)});
}

void Reader::end_line() {
  ++counts_.lines;
  const bool overlong = std::exchange(overlong_, false);
  // The buffer keeps its capacity, the content is this call's alone.
  struct Clear {
    std::string& line;
    ~Clear() { line.clear(); }
  } const clear{line_};
  if (line_.ends_with('\r')) line_.pop_back();

  std::size_t start = 0;
  if (!line_.starts_with('{')) {
    // A workload that printed half a line: the event after it is still whole.
    start = line_.find(kEventStart);
    if (start == std::string::npos) {
      ++counts_.foreign;
      return;
    }
  }
  if (overlong) {
    broken(fmt::format("longer than {} bytes", kLongestLine));
    return;
  }
  const std::size_t size = line_.size() - start;
  line_.reserve(line_.size() + simdjson::SIMDJSON_PADDING);
  simdjson::dom::element root;
  const auto parsed = parser_->json.parse(line_.data() + start, size, false).get(root);
  if (parsed != simdjson::SUCCESS) {
    broken(simdjson::error_message(parsed));
    return;
  }
  if (root.get(parser_->object) != simdjson::SUCCESS) {
    ++counts_.foreign;
    return;
  }
  const auto event = get<std::string_view>(parser_->object, "event");
  if (!event || !is_ours(*event)) {
    ++counts_.foreign;
    return;
  }
  const auto text = get<std::string_view>(parser_->object, "time");
  const auto time = text ? parse_time(*text) : std::nullopt;
  if (!time) {
    broken("an event without a valid time");
    return;
  }
  ++counts_.events;
  on_record_(Record(counts_.lines, *event, *time, parser_->object));
}

Result<void> read_file(const std::string& path, Reader& reader) {
  Fd file;
  int fd = STDIN_FILENO;
  if (path != "-") {
    auto opened = open_file(path, O_RDONLY);
    if (!opened) return fail(opened.error());
    file = std::move(*opened);
    fd = file.get();
  }
  std::vector<char> chunk(std::size_t{256} << 10);
  for (;;) {
    const auto n = ::read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot read", path);
    if (n == 0) break;
    reader.feed({chunk.data(), static_cast<std::size_t>(n)});
  }
  reader.finish();
  return {};
}

}  // namespace oomdrill::recording
