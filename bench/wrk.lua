-- One kind of request, given behind wrk's own options: METHOD STATUS [BODY]. Any other status is no success.
-- At the end, one line of JSON: what was measured, in microseconds, and how many requests failed in any way.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  wrk.method = arguments[1]
  expected = tonumber(arguments[2])
  wrk.body = arguments[3]
  others = 0
end

function response(status)
  if status ~= expected then
    others = others + 1
  end
end

function done(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  for _, thread in ipairs(threads) do
    failed = failed + thread:get("others")
  end
  print(string.format(
    '{"requests": %d, "failed": %d, "duration": %d, "mean": %d, "p50": %d, "p99": %d}',
    summary.requests, failed, summary.duration, latency.mean, latency:percentile(50), latency:percentile(99)
  ))
end
