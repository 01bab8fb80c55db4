// SPDX-License-Identifier: Apache-2.0
#include "daemon/goroutine_details.h"

#include <map>
#include <numeric>
#include <set>
#include <unordered_map>
#include <utility>

#include "snapshot/labels.h"
#include "snapshot/wait_objects.h"
#include "target/sockets.h"
#include "target/syscall_name.h"

namespace goleakd::daemon {
namespace {

using ledger::ObjectDump;

const char* direction(snapshot::ChannelSide side) {
  switch (side) {
    case snapshot::ChannelSide::send:
      return "send";
    case snapshot::ChannelSide::receive:
      return "receive";
    default:
      return "unknown";
  }
}

// What /proc tells of descriptors and threads: asked for all of a dump at once, because the kernel writes a whole table
// of sockets for whoever wants to know of one.
class Outside {
 public:
  Outside(const target::Procfs& proc, int pid) : proc_(&proc), pid_(pid), in_container_(proc.own_pid(pid) != pid) {}

  void want_descriptor(std::uint64_t fd) { files_.try_emplace(fd); }
  void want_thread(std::uint64_t thread) { calls_.try_emplace(thread); }

  void look() {
    std::set<std::uint64_t> inodes;
    for (auto& [fd, file] : files_) {
      file = proc_->descriptor(pid_, fd).value_or("");
      if (const auto inode = target::socket_inode(file)) inodes.insert(*inode);
    }
    sockets_ = target::read_sockets(*proc_, pid_, inodes);
    std::map<std::uint64_t, int> threads;
    if (in_container_ && !calls_.empty()) threads = proc_->threads(pid_);
    for (auto& [own, call] : calls_) {
      const auto thread = threads.find(own);
      if (in_container_ && thread == threads.end()) continue;
      call = proc_->system_call(pid_, in_container_ ? thread->second : static_cast<int>(own));
    }
  }

  void describe_descriptor(std::uint64_t fd, ObjectDump& object) const {
    const auto file = files_.find(fd);
    if (file == files_.end() || file->second.empty()) return;
    const auto inode = target::socket_inode(file->second);
    const auto socket = inode ? sockets_.find(*inode) : sockets_.end();
    if (socket == sockets_.end()) {
      object.attributes.emplace_back("file", file->second);
      return;
    }
    object.attributes.emplace_back("protocol", socket->second.protocol);
    const auto add = [&](const char* name, const std::string& value) {
      if (!value.empty()) object.attributes.emplace_back(name, value);
    };
    add("local", socket->second.local);
    add("remote", socket->second.remote);
    add("state", socket->second.state);
  }

  void describe_call(std::uint64_t thread, ObjectDump& object) const {
    const auto call = calls_.find(thread);
    if (call == calls_.end() || !call->second) return;
    object.attributes.emplace_back("number", static_cast<std::uint64_t>(*call->second));
    const std::string name = target::syscall_name(*call->second);
    if (!name.empty()) object.attributes.emplace_back("name", name);
  }

 private:
  const target::Procfs* proc_;
  int pid_;
  bool in_container_;
  std::map<std::uint64_t, std::string> files_;                 // by descriptor
  std::map<std::uint64_t, std::optional<int>> calls_;          // by thread, in the process's own namespace
  std::unordered_map<std::uint64_t, target::Socket> sockets_;  // by inode
};

ObjectDump channel_dump(const snapshot::WaitObjects& all, const snapshot::ChannelWait& wait) {
  const auto& [state, element] = all.channels[wait.channel];
  const snapshot::Channel& channel = state.channel;
  ObjectDump object{.kind = "channel", .address = channel.address, .attributes = {}, .cases = {}};
  object.attributes.emplace_back("direction", direction(wait.side));
  if (!element.empty()) object.attributes.emplace_back("element", element);
  object.attributes.emplace_back("length", channel.length);
  object.attributes.emplace_back("capacity", channel.capacity);
  object.attributes.emplace_back("closed", channel.closed);
  object.attributes.emplace_back("senders", state.senders);
  object.attributes.emplace_back("receivers", state.receivers);
  if (state.more) object.attributes.emplace_back("more_waiting", true);
  return object;
}

// Turns each kind into the form that dumps show.
class Describe {
 public:
  Describe(const snapshot::WaitObjects& all, const Outside* outside) : all_(all), outside_(outside) {}

  using Dump = std::optional<ObjectDump>;

  Dump operator()(const std::monostate&) const { return std::nullopt; }

  Dump operator()(const snapshot::ChannelWait& wait) const { return channel_dump(all_, wait); }

  Dump operator()(const snapshot::SelectWait& wait) const {
    ObjectDump object = made("select", 0, {{"visible_cases", wait.cases.size()}});
    for (const snapshot::ChannelWait& one : wait.cases) object.cases.push_back(channel_dump(all_, one));
    return object;
  }

  Dump operator()(const snapshot::MutexWait& wait) const {
    return made("mutex", wait.address,
                {{"locked", wait.state.locked},
                 {"woken", wait.state.woken},
                 {"starving", wait.state.starving},
                 {"waiters", std::uint64_t{wait.state.waiters}}});
  }

  Dump operator()(const snapshot::RwMutexWait& wait) const {
    return made("rwmutex", wait.address,
                {{"side", wait.write ? "write" : "read"},
                 {"writer", wait.state.writer},
                 {"readers", std::uint64_t{wait.state.readers}},
                 {"readers_left", std::uint64_t{wait.state.readers_left}},
                 {"writers_behind", std::uint64_t{wait.state.writers_behind}}});
  }

  Dump operator()(const snapshot::WaitGroupWait& wait) const {
    return made("waitgroup", wait.address,
                {{"counter", std::int64_t{wait.state.counter}}, {"waiters", std::uint64_t{wait.state.waiters}}});
  }

  Dump operator()(const snapshot::CondWait& wait) const {
    return made("cond", wait.address, {{"waiters", std::uint64_t{wait.waiters}}});
  }

  Dump operator()(const snapshot::SemaphoreWait& wait) const {
    return made("semaphore", wait.address, {{"value", std::uint64_t{wait.value}}, {"waiters", wait.waiters}});
  }

  Dump operator()(const snapshot::SleepWait& wait) const {
    return made("timer", wait.timer, {{"fires_in_ns", std::int64_t{wait.left.count()}}});
  }

  Dump operator()(const snapshot::PollDescriptor& wait) const {
    ObjectDump object =
        made("descriptor", wait.address, {{"fd", wait.fd}, {"direction", wait.write ? "write" : "read"}});
    if (outside_ != nullptr) outside_->describe_descriptor(wait.fd, object);
    return object;
  }

  Dump operator()(const snapshot::SyscallWait& wait) const {
    ObjectDump object = made("syscall", 0, {{"thread", wait.thread}});
    if (outside_ != nullptr) outside_->describe_call(wait.thread, object);
    return object;
  }

 private:
  static ObjectDump made(const char* kind, std::uint64_t address,
                         std::vector<std::pair<std::string, ObjectDump::Value>> attributes) {
    return {.kind = kind, .address = address, .attributes = std::move(attributes), .cases = {}};
  }

  const snapshot::WaitObjects& all_;
  const Outside* outside_;
};

// Asks /proc about all descriptors and threads that goroutines wait on. What a goroutine that went on meanwhile waited
// for is not known any more.
Outside look_outside(const target::GoProcess& process, const snapshot::Memory& memory,
                     const snapshot::Snapshot& snapshot, const target::Procfs& proc, snapshot::WaitObjects& objects) {
  Outside outside(proc, process.pid);
  std::vector<std::size_t> asked;
  std::vector<snapshot::RawGoroutine> goroutines;
  for (std::size_t i = 0; i < objects.of.size(); ++i) {
    const auto* descriptor = std::get_if<snapshot::PollDescriptor>(&objects.of[i]);
    const auto* call = std::get_if<snapshot::SyscallWait>(&objects.of[i]);
    if (descriptor == nullptr && call == nullptr) continue;
    if (descriptor != nullptr) outside.want_descriptor(descriptor->fd);
    if (call != nullptr) outside.want_thread(call->thread);
    asked.push_back(i);
    goroutines.push_back(snapshot.raw[i]);
  }
  outside.look();
  const auto still = snapshot::still_stopped(process.binary->layout(), memory, goroutines);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!still[i]) objects.of[asked[i]] = {};
  }
  return outside;
}

}  // namespace

struct DetailsSource::State {
  const target::GoProcess& process;
  const snapshot::Memory& memory;
  const snapshot::Snapshot& snapshot;
  snapshot::WaitObjects objects;
  std::optional<Outside> outside;
};

DetailsSource::DetailsSource(const target::GoProcess& process, const snapshot::Memory& memory,
                             const snapshot::Snapshot& snapshot, const target::Procfs* proc) {
  auto objects = snapshot::read_wait_objects(process, memory, snapshot);
  std::optional<Outside> outside;
  if (proc != nullptr) outside = look_outside(process, memory, snapshot, *proc, objects);
  state_ = std::make_unique<const State>(State{process, memory, snapshot, std::move(objects), std::move(outside)});
}

DetailsSource::~DetailsSource() = default;

std::vector<GoroutineDetails> DetailsSource::of(std::span<const std::size_t> numbers) const {
  const State& state = *state_;
  std::vector<snapshot::RawGoroutine> raw;
  raw.reserve(numbers.size());
  for (const std::size_t number : numbers) raw.push_back(state.snapshot.raw[number]);
  const auto labels = snapshot::read_labels(state.memory, state.process.binary->layout().minor, raw);
  std::vector<GoroutineDetails> details(numbers.size());
  const Describe describe(state.objects, state.outside ? &*state.outside : nullptr);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    details[i].object = std::visit(describe, state.objects.of[numbers[i]]);
    details[i].labels = labels.sets[labels.of[i]];
  }
  return details;
}

std::vector<GoroutineDetails> DetailsSource::of_all() const {
  std::vector<std::size_t> numbers(state_->snapshot.goroutines.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  return of(numbers);
}

}  // namespace goleakd::daemon
