#include "memory/kinds.h"

#include <algorithm>
#include <array>

namespace oomdrill::memory {
namespace {

const plan::Parameter* find_parameter(const Kind& kind, std::string_view name) {
  const auto it = std::find_if(kind.parameters.begin(), kind.parameters.end(),
                               [name](const plan::Parameter& each) { return each.name == name; });
  return it == kind.parameters.end() ? nullptr : &*it;
}

/// Whether `values`, "dirty|clean", lists `value`; any other placeholder takes all.
bool takes(std::string_view values, std::string_view value) {
  if (values.find('|') == std::string_view::npos) return !value.empty();
  while (!values.empty()) {
    const std::string_view each = values.substr(0, values.find('|'));
    if (each == value) return true;
    values.remove_prefix(std::min(values.size(), each.size() + 1));
  }
  return false;
}

Result<void> read_item(const Kind& kind, std::string_view item, Settings& settings) {
  const std::string name(kind.name);
  const std::string_view key = item.substr(0, item.find('='));
  const bool bare = key.size() == item.size();
  const plan::Parameter* parameter =
      bare && !kind.parameters.empty() ? &kind.parameters.front() : find_parameter(kind, key);
  if (parameter == nullptr) {
    std::string known;
    for (const plan::Parameter& each : kind.parameters) {
      known += (known.empty() ? "choose " : ", ") + std::string(each.name);
    }
    return fail("unknown parameter '" + std::string(key) + "'", name,
                known.empty() ? "it has none" : known);
  }
  const std::string_view value = bare ? item : item.substr(key.size() + 1);
  if (!takes(parameter->value, value)) {
    return fail("'" + std::string(value) + "' is no " + std::string(parameter->name), name,
                "write " + std::string(parameter->name) + "=" + std::string(parameter->value));
  }
  settings.insert_or_assign(std::string(parameter->name), std::string(value));
  return {};
}

}  // namespace

void Memory::touch(const Block&, std::uint64_t, std::uint64_t) {}
void Memory::reset() {}

std::string_view setting(const Settings& settings, const plan::Parameter& parameter) {
  const auto it = settings.find(parameter.name);
  return it == settings.end() ? parameter.default_value : std::string_view(it->second);
}

std::span<const Kind> kinds() {
  static const std::array table = {kAnon, kHeap, kStack,  kMemfd,    kTmpfs,    kFile,
                                   kShm,  kFork, kKernel, kHugePage, kUntouched};
  return table;
}

Result<const Kind*> find_kind(std::span<const Kind> kinds, std::string_view name) {
  std::string known;
  for (const Kind& kind : kinds) {
    if (kind.name == name) return &kind;
    known += (known.empty() ? "" : ", ") + std::string(kind.name);
  }
  return fail("unknown kind of memory '" + std::string(name) + "'", {}, "choose one of " + known);
}

Result<Choice> parse_kind(std::span<const Kind> kinds, std::string_view text) {
  const std::string_view name = text.substr(0, text.find(':'));
  const auto kind = find_kind(kinds, name);
  if (!kind) return fail(kind.error());
  Choice choice{*kind, {}};
  std::string_view rest = name.size() == text.size() ? "" : text.substr(name.size() + 1);
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    if (auto status = read_item(**kind, item, choice.settings); !status) {
      return fail(status.error());
    }
  }
  return choice;
}

}  // namespace oomdrill::memory
