/**
 * The worker that runs a job is killed in the middle of it. With `missed: 'once'` the survivor runs it again for the same
 * time, then once for all that was missed; with `'none'` it does neither. From then on each due time comes once.
 */
import assert from 'node:assert/strict'
import {
  defineApp,
  defineRecurring,
  openRecurring,
  startWorker,
  type MillraceConfig,
} from '../../../packages/millrace/src/app/index.ts'
import { startProgram } from '../../harness/program.ts'
import { quickClock } from '../../harness/quick-clock.ts'
import { scenario, type Scenario } from '../../harness/scenario.ts'

/** A minute in a second; yesterday, since brokers refuse what comes from the future. */
const factor = 60
const realStartMs = Date.now()
const startMs = Math.floor(realStartMs / 3_600_000) * 3_600_000 - 24 * 3_600_000 - 30_000

interface Run {
  readonly dueAt: string
  readonly reason: string
}

await scenario({ deadline: 60_000 }, async (scene) => {
  const [once, none] = await Promise.all([outlive(scene, 'once'), outlive(scene, 'none')])

  const [again, next, ...later] = once.runs
  assert.deepEqual(again, { dueAt: once.killed.dueAt, reason: 'again' })
  assert.equal(next?.reason, 'missed', 'one run for all that was missed')
  assert.ok(later.every(({ reason }) => reason === 'due'))

  assert.ok(none.runs.every(({ reason }) => reason === 'due'))
  assert.ok(none.runs.every(({ dueAt }) => dueAt > none.killed.dueAt))

  for (const { runs } of [once, none])
    assert.equal(new Set(runs.map(({ dueAt }) => dueAt)).size, runs.length, 'no due time twice')
  assert.ok(!once.results.includes('killed'))
  assert.ok(none.results.includes('killed'), 'what was not made up for is in the log')
})

async function outlive(
  scene: Scenario,
  missed: 'once' | 'none',
): Promise<{
  readonly killed: Run
  readonly runs: readonly Run[]
  readonly results: readonly string[]
}> {
  const { brokers, until, client } = scene
  const clientId = scene.group(`jobs-${missed}`)
  const argument = { brokers, clientId, factor, startMs, realStartMs, missed }
  await using owner = startProgram('recurring', argument)
  await until('it runs in the owner', () => owner.facts.length > 0, {
    lastSeen: () => owner.texts,
  })
  const [killed] = owner.facts as unknown as readonly Run[]
  const runs: Run[] = []
  const job = defineRecurring('tidy', {
    cron: '* * * * *',
    missed,
    run: ({ dueAt, reason }) => void runs.push({ dueAt: dueAt.toISOString(), reason }),
  })
  const config: MillraceConfig = {
    brokers,
    clientId,
    session: '6s',
    heartbeat: '300ms',
    app: defineApp({ recurring: { tick: '20ms', jobs: [job] } }),
  }
  await using survivor = await startWorker(config, {
    signals: false,
    env: {},
    log: false,
    clock: quickClock(factor, startMs, realStartMs),
  })
  assert.equal(survivor.state, 'running')
  owner.signal('SIGKILL')
  await owner.ended
  assert.equal(owner.facts.length, 1)
  await until('the survivor runs it', () => runs.length >= 4, { lastSeen: () => runs })
  await using recurring = openRecurring({ config })
  const results = (await recurring.runs()).map(({ result }) => result)
  await client.admin.deleteTopics([`${clientId}-recurring`, `${clientId}-recurring-log`])
  return { killed: killed as Run, runs, results }
}
