/** `millrace tail A | millrace write B`: keys, values, tombstones, bytes, headers and times arrive as they were, in order. */
import assert from 'node:assert/strict'
import { runShell } from '../../integration/cli/run-cli.ts'
import { scenario, type ScenarioMessage } from '../../harness/scenario.ts'

const firstMs = Date.now() - 3_600_000
const awkward: readonly ScenarioMessage[] = [
  { key: 'k', value: '{"id":1}' },
  { key: null, value: Buffer.from([0xff, 0xfe, 0x00]) },
  { key: Buffer.from([0x80]), value: null },
  { key: '', value: '' },
  {
    key: 'k',
    value: 'two\nlines\tand ünïcode 💙 \u2028',
    headers: [
      ['trace', 'a'],
      ['trace', Buffer.from([0xc3, 0x28])],
      ['empty', ''],
      ['none', null],
    ],
  },
]

await scenario({ topics: { from: {}, to: {} } }, async ({ engine, topic, send, log }) => {
  const messages = Array.from({ length: 40 }, (_, index) => ({
    ...awkward[index % awkward.length]!,
    timestamp: firstMs + index,
  }))
  await send('from', messages)
  const line = `millrace tail ${topic('from')} --from start --exit -o ndjson | millrace write ${topic('to')} --input ndjson --quiet`
  const copied = await runShell(line, { env: { KAFKA_URL: engine.address } })
  assert.deepEqual([copied.code, copied.stdout, copied.stderr], [0, '', ''])
  const original = await log('from')
  assert.equal(original.records.length, messages.length)
  assert.deepEqual((await log('to')).records, original.records)
})
