/**
 * Nothing is forgotten; reading from a date begins at the first message at or after it; a stopped group is moved to
 * a date, to the end and to the beginning, and reads from there.
 */
import assert from 'node:assert/strict'
import {
  defineTopic,
  openAdmin,
  readTopic,
  text,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

const dayMs = 86_400_000
const firstMs = Date.UTC(2019, 0, 1)
const days = 60
const declared = defineTopic('ledger', { value: text(), retention: 'forever' })

await scenario({ topics: { ledger: { configs: { 'retention.ms': '-1' } } } }, async (scene) => {
  const { engine, client, topic, group, send, log, until } = scene
  const { config } = scenarioApp(scene, { topics: [declared] })
  await using admin = openAdmin({ config })
  const ledger = topic('ledger')
  for (let day = 0; day < days; day++) {
    await send('ledger', [{ value: `day ${day}`, timestamp: firstMs + day * dayMs }])
  }
  await engine.retain()
  assert.equal((await log('ledger')).logStartOffset, 0)

  const from = new Date(firstMs + 41 * dayMs - 1)
  const read: string[] = []
  for await (const { value } of readTopic(declared, { config, from })) read.push(value)
  assert.deepEqual([read[0], read.length], ['day 41', days - 41])

  const groupId = group('audit')
  // Each round leaves one message behind, which the next one counts on.
  const rounds = [
    ['a date', new Date(firstMs + 20 * dayMs), 20],
    ['the end', 'latest', days + 1],
    ['the beginning', 'earliest', 0],
  ] as const
  for (const [what, at, offset] of rounds) {
    const [moved] = await admin.groups.seek(groupId, at, { topics: [declared] })
    assert.equal(moved?.to, offset, what)

    await using audit = collect(client, { groupId, topics: [ledger], commits: 'never' })
    await audit.member.ready()
    const [last] = await send('ledger', [{ value: `read from ${what}`, timestamp: firstMs }])
    await until(
      `the group has read from ${what}`,
      () => audit.messages.at(-1)?.offset === last?.offset,
      { lastSeen: () => audit.messages.length },
    )
    assert.equal(audit.messages[0]?.offset, offset, what)
  }
})
