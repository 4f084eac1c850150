/**
 * A consumer of a pattern reads the topics that match, those made later too, and knows what their names say. Its own
 * dead letters do not come back to it.
 */
import assert from 'node:assert/strict'
import { defineConsumer, pattern } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { 'audit.error': { partitions: 2 }, other: {} } }, async (scene) => {
  const { client, until, send, topic } = scene
  const seen: string[] = []
  const audit = pattern('audit', /^audit\.(?<level>\w+)(-dlt)?$/)
  const consumer = defineConsumer({
    topic: audit,
    retries: 0,
    deadLetter: true,
    commit: { interval: '20ms' },
    each({ topic: from, value }, { match }) {
      seen.push(`${from} ${match?.groups?.['level']} ${String(value)}`)
      if (value === 'bad') throw new Error('no')
    },
  })
  scene.watch('handled', () => seen)
  const app = scenarioApp(
    scene,
    { consumers: [consumer] },
    {
      patterns: { interval: '100ms' },
      // The scenario's names are unique by what stands around them.
      declaredName: (name) => declared(name, topic),
    },
  )
  await using worker = await app.start()
  await send('audit.error', [{ partition: 1, value: '"a"' }])
  await until('what was there is read', () => seen.length === 1)

  await client.admin.createTopics([{ name: topic('audit.info'), partitions: 1 }])
  await send('audit.info', [{ value: '"b"' }, { value: '"bad"' }])
  await until('what came later is read', () => seen.length === 3)
  await until('the dead letter is there', async () => {
    const [letters] = await client.admin.describeTopics([topic('audit.info-dlt')])
    return letters?.error === undefined
  })
  await send('audit.error', [{ partition: 0, value: '"c"' }])
  await until('the first goes on', () => seen.length === 4)
  assert.deepEqual(seen, [
    'audit.error error a',
    'audit.info info b',
    'audit.info info bad',
    'audit.error error c',
  ])
  assert.equal(await worker.stop(), 0)
  assert.equal(await app.committed('audit', 'audit.info'), 2)
})

function declared(name: string, topic: (name: string) => string): string | undefined {
  const [before = '', after = ''] = topic('|').split('|')
  if (!name.startsWith(before) || !name.endsWith(after)) return undefined
  return name.slice(before.length, name.length - after.length)
}
