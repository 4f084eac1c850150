/**
 * What two engines may answer differently: names of machines, ids that are drawn. Whether there is one at all still
 * counts: null stays null, an empty text empty, -1 is -1. Of texts for people not even that counts.
 */
const drawn = new Set([
  'brokerId',
  'clientHost',
  'clusterId',
  'controllerId',
  'host',
  'leader',
  'leaderId',
  'memberId',
  'nodeId',
  'port',
  'producerId',
  'topicId',
])
const texts = new Set(['errorMessage', 'batchIndexErrorMessage'])
const nodeLists = new Set(['replicaNodes', 'isrNodes'])
const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

export function mask(value: unknown, key = ''): unknown {
  if (texts.has(key)) return '*'
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return value.map((item) => (nodeLists.has(key) ? '*' : mask(item)))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mask(item, name)]))
  }
  if (!drawn.has(key)) return value
  if (typeof value === 'string') return value === '' || value === zeroUuid ? value : '*'
  return typeof value === 'number' && value >= 0 ? '*' : value
}
