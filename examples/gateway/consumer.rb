# Reads a topic through the gateway, acknowledges what is done, and lives through restarts of the gateway.
#   gem install redis; ruby consumer.rb TOPIC GROUP NAME [COUNT]
require "redis"

topic, group, name, count = ARGV
url = ENV.fetch("GATEWAY_URL", "redis://127.0.0.1:6380")
redis = Redis.new(url: url, id: "#{group}:#{name}", read_timeout: 10)
place = %(topics:#{topic}:{"auto.offset.reset":"earliest"})

left = Integer(count || 1_000_000)
tries = 0
while left > 0
  begin
    message = redis.call("blpop", place, 5)
    tries = 0
    next if message.nil?

    _, _, _, partition, _, offset, _, value = message
    puts "#{topic}/#{partition}:#{offset} #{value}"
    $stdout.flush
    redis.call("rpush", "acks", "#{topic}:#{partition}:#{offset}")
    left -= 1
  rescue Redis::CommandError => error
    # A gateway that stops says so; its successor is there in a moment.
    raise unless error.message == "CONS Server shutdown" && (tries += 1) <= 15

    redis.close
    sleep 1
  end
end
redis.quit
