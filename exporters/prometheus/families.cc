// SPDX-License-Identifier: Apache-2.0
#include "prometheus/families.h"

#include <algorithm>
#include <cstdint>

namespace goleakd::prometheus {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none (Unicode, table 3-7).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0};
  };
  const auto within = [&](std::size_t i, std::uint8_t low, std::uint8_t high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const auto continues = [&](std::size_t i) { return within(i, 0x80, 0xbf); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const std::uint8_t low = lead == 0xe0 ? 0xa0 : 0x80;   // no overlong forms
    const std::uint8_t high = lead == 0xed ? 0x9f : 0xbf;  // no surrogates
    return within(1, low, high) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const std::uint8_t low = lead == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xf4 ? 0x8f : 0xbf;  // up to U+10FFFF
    return within(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string label_value(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) {
      valid += "\xef\xbf\xbd";
    } else {
      valid += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return valid;
}

void Families::add(const Metric& metric, Labels labels, double value) {
  ::prometheus::ClientMetric& sample = add(metric, std::move(labels));
  if (metric.type == ::prometheus::MetricType::Counter) {
    sample.counter.value = value;
  } else {
    sample.gauge.value = value;
  }
}

void Families::add(const Metric& metric, Labels labels, ::prometheus::ClientMetric::Histogram histogram) {
  add(metric, std::move(labels)).histogram = std::move(histogram);
}

::prometheus::ClientMetric& Families::add(const Metric& metric, Labels labels) {
  auto family = std::find_if(families_.begin(), families_.end(), [&](const auto& f) { return f.name == metric.name; });
  if (family == families_.end()) {
    family = families_.insert(family, {metric.name, metric.help, metric.type, {}});
  }
  for (auto& label : labels) label.value = label_value(label.value);
  ::prometheus::ClientMetric& sample = family->metric.emplace_back();
  sample.label = std::move(labels);
  return sample;
}

}  // namespace goleakd::prometheus
