/** Coordinates, bytes and headers are there at once; the value is decoded on first touch, once; a tombstone is null. */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import {
  defineConsumer,
  defineTopic,
  json,
  monitor,
  type Message,
} from '../../../packages/millrace/src/app/index.ts'
import { keptLog, scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const users = defineTopic('users', { value: json<{ readonly name: string }>(), tombstones: true })

await scenario({ topics: { users: {} } }, async (scene) => {
  const decoded: number[] = []
  const unsubscribe = monitor.subscribe({ onMessageDecoded: ({ offset }) => decoded.push(offset) })
  const seen: Message<typeof users>[] = []
  const before = Date.now()
  const consumer = defineConsumer({ topic: users, each: (message) => void seen.push(message) })
  const { start } = scenarioApp(scene, { consumers: [consumer] })
  const { lines, logger } = keptLog()
  const decodedLines = (): string[] =>
    lines.flatMap(({ text }) => (text.includes('Decoded') ? [text] : []))
  await using worker = await start({ log: logger, flags: { 'log.level': 'debug' } })
  assert.equal(worker.state, 'running')
  await scene.send('users', [
    {
      key: 'k',
      value: '{"name":"Ada"}',
      headers: [
        ['h', '1'],
        ['h', '2'],
        ['none', null],
      ],
      timestamp: 1_700_000_000_000,
    },
    { key: 'k', value: null },
  ])
  await scene.until('both have come', () => seen.length === 2)

  const [message, tombstone] = seen as [Message<typeof users>, Message<typeof users>]
  assert.doesNotMatch(inspect(message) + JSON.stringify(message), /Ada/)
  assert.deepEqual([decoded, decodedLines()], [[], []], 'printing it decodes nothing')
  assert.equal(message.topic, 'users', 'the declared name')
  assert.deepEqual([message.partition, message.offset, message.key], [0, 0, 'k'])
  assert.deepEqual(message.headers, [
    ['h', Buffer.from('1')],
    ['h', Buffer.from('2')],
    ['none', null],
  ])
  assert.equal(message.header('h'), '2')
  assert.equal(message.timestamp, 1_700_000_000_000)
  assert.ok(message.receivedAt >= before)
  assert.equal(message.raw.value?.toString(), '{"name":"Ada"}')

  assert.equal(message.value?.name, 'Ada')
  assert.equal(message.value, message.value, 'the same object each time')
  assert.deepEqual(decoded, [0])
  assert.equal(decodedLines().length, 1)
  assert.match(decodedLines()[0] ?? '', /Decoded \S+\/0:0 in \d+ ms/)
  assert.equal(tombstone.value, null)
  unsubscribe()
})
