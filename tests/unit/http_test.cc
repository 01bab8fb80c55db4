// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "http/client.h"
#include "http/listen_address.h"
#include "http/message.h"
#include "http/server.h"
#include "http/unix_socket.h"
#include "sample_report.h"

namespace goleakd::http {
namespace {

verdict::ReportPtr leaking_report() {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  return sample::share(sample::report({target}));
}

UniqueFd connect_tcp(int port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

// Everything that the server says to `request`.
std::string exchange(const UniqueFd& fd, const std::string& request) {
  const Instant deadline = MonotonicClock::now() + std::chrono::seconds(20);
  EXPECT_TRUE(send_all(fd.get(), request, deadline));
  return receive(fd.get(), "", 1 << 24, deadline).value_or("(no answer)");
}

std::string fetch(int port, const std::string& target) {
  return exchange(connect_tcp(port), "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

class HttpServer : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "goleakd-http-" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string socket_path() const { return folder_ + "/goleakd.sock"; }

  Result<std::unique_ptr<Server>> start(const std::string& listen, const std::string& socket = "") {
    return Server::make({.listen = listen, .socket = socket}, [this] { return report(); });
  }

  verdict::ReportPtr report() {
    const std::lock_guard lock(mutex_);
    return report_;
  }
  void set_report(verdict::ReportPtr report) {
    const std::lock_guard lock(mutex_);
    report_ = std::move(report);
  }

  std::string folder_;

 private:
  std::mutex mutex_;
  verdict::ReportPtr report_ = leaking_report();
};

TEST_F(HttpServer, ServesEveryPathOverLoopback) {
  const auto server = start("127.0.0.1:0");
  ASSERT_TRUE(server) << server.error().message();
  const int port = (*server)->port();

  const std::string metrics = fetch(port, "/metrics");
  EXPECT_TRUE(metrics.starts_with("HTTP/1.1 200 OK\r\n")) << metrics;
  EXPECT_TRUE(contains(metrics, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_TRUE(contains(metrics, "\ngoleakd_leak_goroutines{app=\"shop\",leak_id=\"8f0c1d2e3f405162\"} 412\n"));
  EXPECT_TRUE(contains(metrics, "\nprocess_resident_memory_bytes "));

  EXPECT_TRUE(fetch(port, "/-/healthy").ends_with("\r\n\r\nhealthy\n"));
  EXPECT_TRUE(fetch(port, "/-/ready").ends_with("\r\n\r\nready\n"));
  EXPECT_TRUE(contains(fetch(port, "/"), "/api/v1/leaks"));
  EXPECT_TRUE(contains(fetch(port, "/api/v1/targets"), "\"build_id\": \"b0b0\""));
  EXPECT_TRUE(contains(fetch(port, "/api/v1/sites"), "\"sites\": []"));
  const std::string leaks = fetch(port, "/api/v1/leaks");
  EXPECT_TRUE(contains(leaks, "\r\nContent-Type: application/json\r\n"));
  const auto json = nlohmann::json::parse(leaks.substr(leaks.find("\r\n\r\n")));
  EXPECT_EQ(json["targets"][0]["leaks"][0]["id"], "8f0c1d2e3f405162");
  EXPECT_TRUE(contains(fetch(port, "/api/v1/leaks?pid=4711&format=text"), "\r\n\r\nLEAK  8f0c1d2e3f405162"));
}

TEST_F(HttpServer, SaysWhatIsWrongWithARequest) {
  const auto server = start("127.0.0.1:0");
  ASSERT_TRUE(server) << server.error().message();
  const int port = (*server)->port();
  EXPECT_TRUE(fetch(port, "/nowhere").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(fetch(port, "/api/v1/../../etc/passwd").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(fetch(port, "/api/v1/leaks?pid=12").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(fetch(port, "/api/v1/leaks?pid=12x").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(fetch(port, "/api/v1/leaks?pid=").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(fetch(port, "/api/v1/leaks?format=xml").starts_with("HTTP/1.1 400 "));
  const std::string post =
      exchange(connect_tcp(port), "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(post.starts_with("HTTP/1.1 405 ")) << post;
  EXPECT_TRUE(contains(post, "\r\nAllow: GET, HEAD\r\n"));
}

TEST_F(HttpServer, HeadHasNoBody) {
  const auto server = start("127.0.0.1:0", socket_path());
  ASSERT_TRUE(server) << server.error().message();
  const std::string head = exchange(connect_tcp((*server)->port()), "HEAD /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(contains(head, "\r\nContent-Length: 8\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

// A body is announced and never sent: whoever waited for it would hang.
TEST_F(HttpServer, NeverReadsABody) {
  const auto server = start("127.0.0.1:0");
  ASSERT_TRUE(server) << server.error().message();
  const Instant before = MonotonicClock::now();
  const std::string answer =
      exchange(connect_tcp((*server)->port()), "GET /-/healthy HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("\r\n\r\nhealthy\n")) << answer;
  EXPECT_LT(MonotonicClock::now() - before, std::chrono::seconds(4));
}

TEST_F(HttpServer, NotReadyBeforeTheFirstReport) {
  set_report(nullptr);
  const auto server = start("127.0.0.1:0", socket_path());
  ASSERT_TRUE(server) << server.error().message();
  const int port = (*server)->port();
  EXPECT_TRUE(fetch(port, "/-/healthy").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(fetch(port, "/-/ready").starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(fetch(port, "/api/v1/leaks").starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(fetch(port, "/metrics").starts_with("HTTP/1.1 200 "));
  const auto leaks = get(socket_path(), "/api/v1/leaks");
  ASSERT_FALSE(leaks);
  EXPECT_TRUE(contains(leaks.error().message(), "not ready")) << leaks.error().message();

  set_report(leaking_report());
  EXPECT_TRUE(fetch(port, "/-/ready").starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServer, BeyondLoopbackOnlyMetricsAndHealth) {
  const auto server = start("0.0.0.0:0", socket_path());
  ASSERT_TRUE(server) << server.error().message();
  const int port = (*server)->port();
  for (const char* path : {"/metrics", "/-/healthy", "/-/ready"}) {
    EXPECT_TRUE(fetch(port, path).starts_with("HTTP/1.1 200 ")) << path;
  }
  for (const char* path : {"/", "/api/v1/leaks", "/api/v1/sites", "/api/v1/targets", "/metrics/../api/v1/leaks"}) {
    const std::string answer = fetch(port, path);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 ")) << path;
    EXPECT_FALSE(contains(answer, "handleOrder")) << path;
  }
  EXPECT_TRUE(contains(fetch(port, "/api/v1/leaks"), "curl --unix-socket"));
  EXPECT_TRUE(contains(get(socket_path(), "/api/v1/leaks").value_or(""), "handleOrder"));
}

TEST_F(HttpServer, OccupiedPortIsAnErrorThatNamesIt) {
  const auto first = start("127.0.0.1:0");
  ASSERT_TRUE(first) << first.error().message();
  const std::string address = "127.0.0.1:" + std::to_string((*first)->port());
  const auto second = start(address);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::system);
  EXPECT_TRUE(contains(second.error().message(), "cannot listen on " + address)) << second.error().message();
  EXPECT_TRUE(contains(second.error().message(), "Address already in use")) << second.error().message();
  EXPECT_TRUE(fetch((*first)->port(), "/-/healthy").starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServer, UnixSocketAnswersTheClient) {
  const auto server = start("127.0.0.1:0", socket_path());
  ASSERT_TRUE(server) << server.error().message();
  struct stat file {};
  ASSERT_EQ(stat(socket_path().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0660);

  EXPECT_TRUE(get(socket_path(), "/api/v1/leaks?format=text").value_or("").starts_with("LEAK"));
  const auto unknown = get(socket_path(), "/api/v1/leaks?pid=12");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind(), ErrorKind::not_found);
  EXPECT_TRUE(contains(unknown.error().message(), "pid 12 is not a Go process")) << unknown.error().message();
  EXPECT_EQ(get(socket_path(), "/a b").error().kind(), ErrorKind::invalid);

  UniqueFd fd;
  ASSERT_EQ(connect_unix(socket_path(), fd), 0);
  EXPECT_TRUE(exchange(fd, "hello\r\n\r\n").starts_with("HTTP/1.1 400 "));
}

TEST_F(HttpServer, UnixSocketCarriesLargeAnswers) {
  auto target = sample::target();
  for (int i = 0; i < 5'000; ++i) target.sites.push_back(sample::site(std::to_string(i), 1));
  set_report(sample::share(sample::report({target})));
  const auto server = start("127.0.0.1:0", socket_path());
  ASSERT_TRUE(server) << server.error().message();
  const auto sites = get(socket_path(), "/api/v1/sites");
  ASSERT_TRUE(sites) << sites.error().message();
  EXPECT_EQ(nlohmann::json::parse(*sites)["sites"].size(), 5'000);
}

TEST_F(HttpServer, UnixSocketSurvivesClientsThatHangUp) {
  const auto server = start("127.0.0.1:0", socket_path());
  ASSERT_TRUE(server) << server.error().message();
  for (int i = 0; i < 20; ++i) {
    UniqueFd fd;
    ASSERT_EQ(connect_unix(socket_path(), fd), 0);
    if (i % 2 == 0) send(fd.get(), "GET /metrics HTTP/1.0\r\n\r\n", 25, 0);
  }
  EXPECT_EQ(get(socket_path(), "/-/healthy").value_or(""), "healthy\n");
}

TEST_F(HttpServer, StaleSocketIsReplacedAndRemovedAtTheEnd) {
  {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM, 0));
    const auto address = unix_address(socket_path());
    ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(socket_path()));
  EXPECT_EQ(get(socket_path(), "/").error().kind(), ErrorKind::not_found);
  {
    const auto server = start("127.0.0.1:0", socket_path());
    ASSERT_TRUE(server) << server.error().message();
    EXPECT_EQ(get(socket_path(), "/-/healthy").value_or(""), "healthy\n");
  }
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
  EXPECT_EQ(get(socket_path(), "/").error().kind(), ErrorKind::not_found);
}

TEST_F(HttpServer, SocketsInUseAndOtherFilesStay) {
  const auto first = start("127.0.0.1:0", socket_path());
  ASSERT_TRUE(first) << first.error().message();
  const auto second = start("127.0.0.1:0", socket_path());
  ASSERT_FALSE(second);
  EXPECT_TRUE(contains(second.error().message(), "another goleakd is running")) << second.error().message();
  EXPECT_EQ(get(socket_path(), "/-/healthy").value_or(""), "healthy\n");

  const std::string file = folder_ + "/precious";
  std::ofstream(file) << "data";
  EXPECT_FALSE(start("127.0.0.1:0", file));
  EXPECT_TRUE(std::filesystem::is_regular_file(file));

  EXPECT_EQ(start("127.0.0.1:0", folder_ + "/missing/goleakd.sock").error().kind(), ErrorKind::not_found);
  EXPECT_EQ(start("127.0.0.1:0", "/" + std::string(200, 'x')).error().kind(), ErrorKind::invalid);
}

TEST_F(HttpServer, ManyClientsAtOnce) {
  const auto server = start("127.0.0.1:0", socket_path());
  ASSERT_TRUE(server) << server.error().message();
  const int port = (*server)->port();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 10; ++n) {
        const bool ok = i % 2 == 0 ? fetch(port, "/metrics").starts_with("HTTP/1.1 200 ")
                                   : get(socket_path(), "/api/v1/leaks").has_value();
        good += ok ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

TEST(ListenAddress, AddressesAndWhetherTheyAreLoopback) {
  const auto parsed = [](std::string_view text) {
    const auto address = parse_listen_address(text);
    return address ? address->to_string() + (address->loopback ? " loopback" : "") : "bad";
  };
  EXPECT_EQ(parsed("127.0.0.1:9979"), "127.0.0.1:9979 loopback");
  EXPECT_EQ(parsed("127.8.9.1:1"), "127.8.9.1:1 loopback");
  EXPECT_EQ(parsed("localhost:80"), "127.0.0.1:80 loopback");
  EXPECT_EQ(parsed("[::1]:9979"), "[::1]:9979 loopback");
  EXPECT_EQ(parsed("[::]:9979"), "[::]:9979");
  EXPECT_EQ(parsed(":9979"), "0.0.0.0:9979");
  EXPECT_EQ(parsed("10.0.0.1:9979"), "10.0.0.1:9979");
  for (const char* text :
       {"", "9979", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:9979s", "example.org:80", "::1:9979",
        "[::1:9979", "127.0.0.1:80,0.0.0.0:80", "1.2.3:80", "[127.0.0.1]:80"}) {
    EXPECT_EQ(parsed(text), "bad") << text;
  }
}

TEST(Message, RequestLines) {
  const Request request = parse_request("GET /api/v1/leaks?pid=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/api/v1/leaks");
  EXPECT_EQ(request.query, "pid=1");
  EXPECT_FALSE(request.trusted);
  EXPECT_EQ(parse_request("GET / HTTP/1.0\r\n\r\n").query, "");
  for (const char* head : {"", "GET", "GET /", "GET  HTTP/1.0", "GET x HTTP/1.0", "GET / HTTP/2", "\r\n\r\n"}) {
    EXPECT_EQ(parse_request(head).method, "") << head;
  }
}

}  // namespace
}  // namespace goleakd::http
