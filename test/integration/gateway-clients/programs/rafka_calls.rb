# The calls that Rafka's Ruby client makes on redis-rb, made by hand: rafka_calls.rb PORT TOPIC [waits]
require "redis"
require "securerandom"

port, topic, mode = ARGV
$stdout.sync = true

def check(what, ok)
  raise "#{what} did not hold" unless ok
end

def connect(port, id = nil)
  Redis.new(**{ host: "127.0.0.1", port: Integer(port), reconnect_attempts: 1 }, **(id ? { id: id } : {}))
end

# Only this very text is tried again: 15 times, a second apart.
def pop(redis, place, timeout)
  tries = 0
  begin
    redis.blpop(place, timeout: timeout)
  rescue Redis::CommandError => error
    raise unless error.message == "CONS Server shutdown" && (tries += 1) <= 15

    sleep 1
    retry
  end
end

place = %(topics:#{topic}:{"auto.offset.reset":"earliest"})

if mode == "waits"
  consumer = connect(port, "waits:#{SecureRandom.hex}")
  puts "waiting"
  message = nil
  20.times { (message = pop(consumer, place, 2)) && break }
  puts "got #{message && message[7]}"
  consumer.quit
  exit
end

producer = connect(port)
check "ping", producer.ping == "PONG"
20.times { |n| producer.rpushx("topics:#{topic}:key-#{n % 3}", "message #{n}") }
check "flush", Integer(producer.call("dump", 5000)).zero?

seen = []
3.times do |round|
  consumer = connect(port, "#{topic}:one")
  wanted = [7, 7, 6][round]
  # A batch: single messages, then one acknowledgement a partition with the highest offset.
  batch = []
  while batch.size < wanted
    message = pop(consumer, place, 1.0)
    batch << message if message
  end
  batch.each do |message|
    check "shape", message.size == 8 && message[3].is_a?(Integer) && message[5].is_a?(Integer)
  end
  seen += batch.map { |message| message[7] }
  batch.group_by { |message| message[3] }.each do |partition, messages|
    highest = messages.map { |message| message[5] }.max
    check "ack", consumer.rpush("acks", "#{topic}:#{partition}:#{highest}") == 1
  end
  check "quit", consumer.quit == "OK"
end
check "each once", seen.sort == Array.new(20) { |n| "message #{n}" }.sort

begin
  producer.rpushx("nothing", "x")
  raise "a message without a topic was taken"
rescue Redis::CommandError => error
  check "prefix", error.message.start_with?("PROD ")
end
check "stats", producer.hgetall("stats")["producer.delivery.errors"] == "0"
puts "all right"
