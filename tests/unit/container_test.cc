// SPDX-License-Identifier: Apache-2.0
#include "target/container.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "target/access.h"
#include "target/container_names.h"
#include "target/procfs.h"
#include "target/service_name.h"

namespace goleakd::target {
namespace {

const std::string kId = "4f5c0d1e9a7b3c2d4f5c0d1e9a7b3c2d4f5c0d1e9a7b3c2d4f5c0d1e9a7b3c2d";
const std::string kOther = std::string(64, 'a');
const std::string kPod = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const std::string kPodSlice = "0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0";

struct Group {
  std::string path;
  std::string runtime;
  std::string id;
  std::string pod_uid;
};

TEST(Container, IsReadFromThePathsOfEveryRuntime) {
  const std::vector<Group> groups{
      {"/docker/" + kId, "docker", kId, ""},
      {"/system.slice/docker-" + kId + ".scope", "docker", kId, ""},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + kPodSlice + ".slice/cri-containerd-" + kId +
           ".scope",
       "containerd", kId, kPod},
      {"/kubepods.slice/kubepods-pod" + kPodSlice + ".slice/crio-" + kId + ".scope", "cri-o", kId, kPod},
      {"/kubepods.slice/kubepods-pod" + kPodSlice + ".slice/docker-" + kId + ".scope", "docker", kId, kPod},
      {"/kubepods/burstable/pod" + kPod + "/" + kId, "kubernetes", kId, kPod},
      {"/kubepods/pod" + kPod, "kubernetes", "", kPod},
      {"/system.slice/containerd.service/kubepods-besteffort-pod" + kPodSlice + ".slice:cri-containerd:" + kId,
       "containerd", kId, kPod},
      {"/../../kubepods-besteffort-pod" + kPodSlice + ".slice/cri-containerd-" + kId + ".scope", "containerd", kId,
       kPod},
      {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId + ".scope/container", "podman", kId,
       ""},
      {"/libpod_parent/libpod-" + kId, "podman", kId, ""},
      {"/default/" + kId, "containerd", kId, ""},
      {"/ecs/0123456789abcdef/" + kId, "unknown", kId, ""},
      {"/machine.slice/machine-a\\x2dbox.scope/payload", "systemd-nspawn", "a-box", ""},
      {"/machine.slice/systemd-nspawn@box.service/payload/init.scope", "systemd-nspawn", "box", ""},
      {"/lxc.payload.web/system.slice", "lxc", "web", ""},
      {"/lxc/web", "lxc", "web", ""},
      // A cluster in a container: the inner one counts.
      {"/docker/" + kOther + "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + kPodSlice +
           ".slice/cri-containerd-" + kId + ".scope",
       "containerd", kId, kPod},
      // A static pod: kubelet makes the uid of a hash.
      {"/kubepods/burstable/pod0123456789abcdef0123456789abcdef/" + kId, "kubernetes", kId,
       "0123456789abcdef0123456789abcdef"},
  };
  for (const Group& group : groups) {
    const Container container = parse_cgroup(group.path).container;
    EXPECT_EQ(container.runtime, group.runtime) << group.path;
    EXPECT_EQ(container.id, group.id) << group.path;
    EXPECT_EQ(container.pod_uid, group.pod_uid) << group.path;
  }
}

TEST(Container, IsNotSeenWhereThereIsNone) {
  for (const std::string& path : std::vector<std::string>{
           "", "/", "/system.slice/docker.service", "/system.slice/docker-" + kId.substr(1) + ".scope",
           "/system.slice/docker-" + std::string(64, 'Z') + ".scope", "/machine.slice/libpod-conmon-" + kId + ".scope",
           "/kubepods.slice/kubepods-burstable.slice", "/kubepods/podman", "/podium/pod" + kPod,
           "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "/machine-.scope", "/system.slice/.scope",
           "/kubepods.slice/kubepods-pod" + std::string(36, '/') + ".slice"}) {
    EXPECT_FALSE(parse_cgroup(path).container.known()) << path;
  }
}

std::string name(const std::string& group, const std::string& exe, const Container& names = {}) {
  CgroupPath parsed = parse_cgroup(group);
  parsed.container.name += names.name;
  parsed.container.service = names.service;
  return service_name(parsed, exe);
}

TEST(ServiceName, IsTheInnermostUnitElseTheProgram) {
  EXPECT_EQ(name("/system.slice/shop.service", "/usr/bin/shopd"), "shop");
  EXPECT_EQ(name("/user.slice/user-1000.slice/user@1000.service/app.slice/mail.service", "/x"), "mail");
  EXPECT_EQ(name("/user.slice/user-1000.slice/user@1000.service/init.scope", "/opt/shopd"), "shopd");
  EXPECT_EQ(name("/user.slice/user-0.slice/session-4.scope", "/opt/shopd"), "shopd");
  EXPECT_EQ(name("", "shopd"), "shopd");
}

TEST(ServiceName, IsThatOfTheTemplateAndNeverATransientOne) {
  EXPECT_EQ(name("/system.slice/system-worker.slice/worker@3.service", "/opt/w"), "worker");
  EXPECT_EQ(name("/system.slice/a\\x2db.service", "/opt/w"), "a-b");
  for (const char* unit : {"run-r0123456789abcdef0123456789abcdef", "run-u17", "run-123", "run-p12-i34"}) {
    EXPECT_EQ(name("/system.slice/" + std::string(unit) + ".service", "/opt/w"), "w") << unit;
  }
  EXPECT_EQ(name("/system.slice/run-parts.service", "/opt/w"), "run-parts");
}

TEST(ServiceName, IsTheContainersUnlessThatHasAUnitInside) {
  const Container web{
      .runtime = {}, .id = {}, .name = "web-1", .service = {}, .pod_uid = {}, .pod = {}, .pod_namespace = {}};
  const Container replica{
      .runtime = {}, .id = {}, .name = "shop-web-1", .service = "web", .pod_uid = {}, .pod = {}, .pod_namespace = {}};
  EXPECT_EQ(name("/system.slice/docker-" + kId + ".scope", "/app/w", web), "web-1");
  EXPECT_EQ(name("/system.slice/docker-" + kId + ".scope", "/app/w", replica), "web");
  EXPECT_EQ(name("/system.slice/docker-" + kId + ".scope", "/app/w"), "w");  // an id is no name
  EXPECT_EQ(name("/machine.slice/machine-box.scope/payload/system.slice/shop.service", "/app/w"), "shop");
  EXPECT_EQ(name("/machine.slice/machine-box.scope/payload/init.scope", "/app/w"), "box");
  // The unit of the runtime is not that of the container; podman's split groups lie in a unit of the container's own.
  EXPECT_EQ(
      name("/system.slice/containerd.service/kubepods-pod" + kPodSlice + ".slice:cri-containerd:" + kId, "/app/w"),
      "w");
  EXPECT_EQ(name("/system.slice/shop.service/libpod-payload-" + kId, "/app/w"), "shop");
}

class HostFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::path(::testing::TempDir()) / ("host" + std::to_string(::getpid()));
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  Container named(const std::string& group) const {
    Container container = parse_cgroup(group).container;
    name_container(container, root_);
    return container;
  }

  std::filesystem::path root_;
};

TEST_F(HostFiles, DockersRecordTellsNameAndComposeService) {
  write("var/lib/docker/containers/" + kId + "/config.v2.json",
        R"({"ID":"x","Name":"/shop-web-1","Config":{"Labels":{"com.docker.compose.service":"web"}}})");
  const Container container = named("/docker/" + kId);
  EXPECT_EQ(container.name, "shop-web-1");
  EXPECT_EQ(container.service, "web");
}

TEST_F(HostFiles, RecordsThatAreNoneTellNothing) {
  for (const char* text :
       {"", "{", "[]", "7", R"({"Name":7})", R"({"Name":"","Config":[]})", R"({"Config":{"Labels":3}})",
        R"({"Config":{"Labels":{"com.docker.compose.service":{}}}})"}) {
    write("var/lib/docker/containers/" + kId + "/config.v2.json", text);
    EXPECT_EQ(named("/docker/" + kId), parse_cgroup("/docker/" + kId).container) << text;
  }
  EXPECT_EQ(named("/docker/" + kOther), parse_cgroup("/docker/" + kOther).container);
}

TEST_F(HostFiles, KubeletsLogFoldersTellPodNamespaceAndContainer) {
  write("var/log/containers/web-7d4b9c-x2x9z_shop_nginx-" + kOther + ".log", "");
  write("var/log/containers/web-7d4b9c-x2x9z_shop_web-server-" + kId + ".log", "");
  const Container container = named("/kubepods/burstable/pod" + kPod + "/" + kId);
  EXPECT_EQ(container.pod, "web-7d4b9c-x2x9z");
  EXPECT_EQ(container.pod_namespace, "shop");
  EXPECT_EQ(container.name, "web-server");
}

TEST_F(HostFiles, WithoutALogOfTheContainerThePodsFolderTells) {
  write("var/log/pods/shop_web-7d4b9c-x2x9z_" + kPod + "/web/0.log", "");
  const Container one = named("/kubepods/burstable/pod" + kPod + "/" + kId);
  EXPECT_EQ(one.pod, "web-7d4b9c-x2x9z");
  EXPECT_EQ(one.pod_namespace, "shop");
  EXPECT_EQ(one.name, "web");
  write("var/log/pods/shop_web-7d4b9c-x2x9z_" + kPod + "/sidecar/0.log", "");
  EXPECT_EQ(named("/kubepods/burstable/pod" + kPod + "/" + kId).name, "");  // which of the two it is, nothing tells
}

class ProcFiles : public HostFiles {
 protected:
  // Another owner than this process has, as far as the reader can tell.
  void status(const std::string& capabilities, const std::string& uid) {
    write("self/status", "CapEff:\t" + capabilities + "\n");
    write("42/status", "Name:\tshop\nPPid:\t7\nUid:\t" + uid + "\t0\t0\t0\nNSpid:\t42\t9\t1\n");
  }
  std::string why() const { return access_denied(Procfs(root_), 42).message(); }
};

TEST_F(ProcFiles, WhyAProcessMayNotBeReadIsToldWithItsRemedy) {
  const std::string own = std::to_string(::geteuid());
  const auto has = [&](const char* words) { EXPECT_NE(why().find(words), std::string::npos) << why(); };
  status("0", "4242");
  has("belongs to uid 4242");
  has("CAP_SYS_PTRACE");
  status("0", own);
  has("not dumpable");
  write("sys/kernel/yama/ptrace_scope", "1\n");
  has("ptrace_scope is 1");
  has("or set it to 0");
  write("sys/kernel/yama/ptrace_scope", "2\n");
  has("ptrace_scope is 2");
  status("0000000000080000", own);  // CAP_SYS_PTRACE
  has("security module");
  write("sys/kernel/yama/ptrace_scope", "3\n");
  has("reboot");
}

TEST_F(ProcFiles, TheInnermostNamespacesPidIsItsOwn) {
  status("0", "0");
  EXPECT_EQ(Procfs(root_).own_pid(42), 1);
  EXPECT_EQ(Procfs(root_).own_pid(43), 43);  // nothing to read
}

TEST_F(ProcFiles, AProcessThatWasOnlyForkedIsToldByItsParentsStack) {
  const auto stat = [&](int pid, int parent, int stack) {
    write(std::to_string(pid) + "/status", "PPid:\t" + std::to_string(parent) + "\n");
    write(std::to_string(pid) + "/stat", std::to_string(pid) + " (a) S " + std::to_string(parent) +
                                             " 1 1 0 -1 0 1 0 0 0 0 0 0 0 20 0 5 0 77 1000 200 1 1 1 " +
                                             std::to_string(stack) + " 0\n");
  };
  const Procfs proc(root_);
  stat(7, 1, 1234);
  stat(42, 7, 1234);
  EXPECT_TRUE(proc.only_forked(42, *proc.identity(42)));
  stat(42, 7, 999);
  EXPECT_FALSE(proc.only_forked(42, *proc.identity(42)));
  stat(7, 1, 0);
  stat(42, 7, 0);  // it may not be seen: nothing is known
  EXPECT_FALSE(proc.only_forked(42, *proc.identity(42)));
}

TEST_F(ProcFiles, EveryHierarchyIsToldOnceTheUnifiedFirst) {
  write("42/cgroup", "9:name=systemd:/a.service\n8:pids:/docker/x\n7:cpu:/docker/x\n6:x:/\n0::/b.service\nrubbish\n");
  EXPECT_EQ(Procfs(root_).cgroups(42), (std::vector<std::string>{"/b.service", "/a.service", "/docker/x"}));
  EXPECT_TRUE(Procfs(root_).cgroups(43).empty());
}

}  // namespace
}  // namespace goleakd::target
