/** By time, by size, only the latest, for ever: one line each where the topic is declared, and so it is at the broker. */
import assert from 'node:assert/strict'
import { defineTopic, openAdmin } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const visits = defineTopic('visits', { retention: '7d' })
const logs = defineTopic('logs', { config: { 'retention.bytes': 1_000_000 } })
const users = defineTopic('users', { compaction: true, tombstones: true })
const ledger = defineTopic('ledger', { retention: 'forever' })
const topics = [visits, logs, users, ledger]

await scenario({}, async (scene) => {
  const { config, start } = scenarioApp(scene, { topics })
  {
    await using worker = await start({ createTopics: true })
    assert.equal(worker.state, 'running')
  }
  await using admin = openAdmin({ config })
  const settingOf = async (
    topic: (typeof topics)[number],
    name: string,
  ): Promise<string | null | undefined> => {
    const configs = await admin.topics.configs(topic)
    return configs.find((one) => one.name === name)?.value
  }
  assert.equal(await settingOf(visits, 'retention.ms'), String(7 * 24 * 3_600_000))
  assert.equal(await settingOf(logs, 'retention.bytes'), '1000000')
  assert.equal(await settingOf(users, 'cleanup.policy'), 'compact')
  assert.equal(await settingOf(ledger, 'retention.ms'), '-1')
  for (const topic of topics) await admin.topics.delete(topic)
})
