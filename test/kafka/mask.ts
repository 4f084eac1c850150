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

/** @param nameById - ids that have a name in the test; they are compared by it */
export function mask(
  value: unknown,
  nameById: ReadonlyMap<string, string> = new Map(),
  key = '',
): unknown {
  if (texts.has(key)) return '*'
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) {
    return value.map((item) => (nodeLists.has(key) ? '*' : mask(item, nameById)))
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    return Object.fromEntries(entries.map(([name, item]) => [name, mask(item, nameById, name)]))
  }
  // No session is 0, on both.
  if (key === 'sessionId') return value === 0 ? 0 : '*'
  if (!drawn.has(key)) return value
  if (typeof value === 'string') {
    return value === '' || value === zeroUuid ? value : (nameById.get(value) ?? '*')
  }
  return typeof value === 'number' && value >= 0 ? '*' : value
}
