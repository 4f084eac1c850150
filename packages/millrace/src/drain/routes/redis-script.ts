/**
 * One batch, applied by Redis in one step. Everything arrives as text and goes on as text: a Lua number printed
 * by Redis keeps 14 digits, and sums of bytes grow longer.
 *
 * KEYS[1]  {mr}:v1:fence
 * ARGV     field, expected position ('' for none), new position, payload, routes per app, paths per app,
 *          paths of the 2016 view, SHA-256 of ':other'
 * Returns  '' when applied, else the position it stands at, or 'none'.
 *
 * Keys:
 *   {mr}:v1:fence                          hash  <group>/<topic>/<partition> -> next offset
 *   {mr}:v1:apps                           set
 *   {mr}:v1:routes:<app>                   set   of routes
 *   {mr}:v1:total:<app>:<route>            hash  field -> number
 *   {mr}:v1:minute:<app>:<minute>:<route>  hash  field -> number, with a time to live
 *   {mr}:v1:minutes:<app>                  sorted set  "<minute>:<route>" by minute
 *   {mr}:v1:paths:<app>                    hash  path -> lines
 * The view of 2016 (without a tag, so not for Redis Cluster):
 *   routes                                 hash  path with query -> SHA-256
 *   <sha256>::service, <sha256>::connect   hash  sum, count, average
 *   <sha256>::statuses                     hash  status -> lines
 */
export const applyScript = `
local position = redis.call('HGET', KEYS[1], ARGV[1])
if (position or '') ~= ARGV[2] then return position or 'none' end

local batch = cjson.decode(ARGV[4])
local prefix = '{mr}:v1:'

local function merge(key, fields)
  for index = 1, #fields, 2 do
    local field, value = fields[index], fields[index + 1]
    local ending = string.sub(field, -4)
    if ending == '.min' or ending == '.max' then
      local known = redis.call('HGET', key, field)
      local isBetter = not known
        or (ending == '.min' and tonumber(value) < tonumber(known))
        or (ending == '.max' and tonumber(value) > tonumber(known))
      if isBetter then redis.call('HSET', key, field, value) end
    else
      redis.call('HINCRBY', key, field, value)
    end
  end
end

local admitted = {}
local function admit(app, route)
  local key = app .. '\\n' .. route
  if admitted[key] then return admitted[key] end
  local routes = prefix .. 'routes:' .. app
  local name = route
  if redis.call('SISMEMBER', routes, route) == 0 then
    if redis.call('SCARD', routes) >= tonumber(ARGV[5]) then
      name = ':other'
    else
      redis.call('SADD', prefix .. 'apps', app)
      redis.call('SADD', routes, route)
    end
  end
  admitted[key] = name
  return name
end

for _, cell in ipairs(batch.cells) do
  local app, minute, ttl, fields = cell[1], cell[3], cell[4], cell[5]
  local route = admit(app, cell[2])
  if minute == '' then
    merge(prefix .. 'total:' .. app .. ':' .. route, fields)
  else
    local key = prefix .. 'minute:' .. app .. ':' .. minute .. ':' .. route
    local index = prefix .. 'minutes:' .. app
    merge(key, fields)
    redis.call('EXPIRE', key, ttl)
    redis.call('ZADD', index, minute, minute .. ':' .. route)
    redis.call('EXPIRE', index, ttl)
  end
end
for _, pruned in ipairs(batch.prune) do
  redis.call('ZREMRANGEBYSCORE', prefix .. 'minutes:' .. pruned[1], '-inf', pruned[2])
end

for _, entry in ipairs(batch.paths) do
  local key = prefix .. 'paths:' .. entry[1]
  local path = entry[2]
  if redis.call('HEXISTS', key, path) == 0 and redis.call('HLEN', key) >= tonumber(ARGV[6]) then
    path = ':other'
  end
  redis.call('HINCRBY', key, path, entry[3])
end

-- The shortest text that reads back as the same number, with one decimal at least.
local function decimal(number)
  local text
  for digits = 15, 17 do
    text = string.format('%.' .. digits .. 'g', number)
    if tonumber(text) == number then break end
  end
  if not string.find(text, '[%.en]') then text = text .. '.0' end
  return text
end

local function timing(key, count, sum)
  if count == '0' then return end
  local newCount = redis.call('HINCRBY', key, 'count', count)
  local newSum = redis.call('HINCRBY', key, 'sum', sum)
  redis.call('HSET', key, 'average', decimal(newSum / newCount))
end

for _, line in ipairs(batch.view) do
  local path, digest = line[1], line[2]
  if redis.call('HEXISTS', 'routes', path) == 0 then
    if redis.call('HLEN', 'routes') >= tonumber(ARGV[7]) then
      path, digest = ':other', ARGV[8]
    end
    redis.call('HSET', 'routes', path, digest)
  end
  timing(digest .. '::service', line[3], line[4])
  timing(digest .. '::connect', line[5], line[6])
  for index = 1, #line[7], 2 do
    redis.call('HINCRBY', digest .. '::statuses', line[7][index], line[7][index + 1])
  end
end

redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return ''
`
