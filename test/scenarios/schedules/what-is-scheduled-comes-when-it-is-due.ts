/**
 * Never early, and within moments of its time; the same id replaces; a cancelled one does not come; after downtime what
 * is overdue comes in the order of its times; a worker that was killed between sending and noting repeats under the same
 * id; and what was sent is gone from the schedule.
 */
import assert from 'node:assert/strict'
import {
  defineSchedule,
  defineTopic,
  openProducer,
  readTopic,
  type AppProducer,
} from '../../../packages/millrace/src/app/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const reminders = defineTopic<{ text: string }>('reminders')
const later = defineSchedule('later', { partitions: 3 })

await scenario({ topics: { reminders: { partitions: 1 } } }, async (scene) => {
  const { config, start } = scenarioApp(
    scene,
    { topics: [reminders], schedules: [later] },
    { session: '6s', heartbeat: '200ms' },
  )
  const lateness: number[] = []
  const unsubscribe = events.scheduleSent.subscribe(({ lateMs }) => lateness.push(lateMs))
  const texts = async (): Promise<readonly string[]> => {
    const seen: string[] = []
    for await (const { value } of readTopic(reminders, { config })) seen.push(value.text)
    return seen
  }
  const at = (ms: number): Date => new Date(Date.now() + ms)
  const plan = (text: string, when: Date, producer: AppProducer): Promise<unknown> =>
    later.sendAt(reminders, { key: 'k', value: { text } }, when, { id: text, producer })

  {
    await using worker = await start({ createTopics: true })
    const { producer } = worker
    await plan('second', at(700), producer)
    await plan('first', at(400), producer)
    await plan('cancelled', at(500), producer)
    await plan('moved', at(300), producer)
    await later.cancel('cancelled', { producer })
    await later.sendAt(reminders, { value: { text: 'moved, and changed' } }, at(900), {
      id: 'moved',
      producer,
    })
    await plan('at once', new Date(0), producer)
    await plan('much later', at(3_600_000), producer)
    await scene.until('all that is due has come', async () => (await texts()).length >= 4, {
      lastSeen: () => lateness,
    })
    assert.deepEqual(await texts(), ['at once', 'first', 'second', 'moved, and changed'])
    assert.ok(
      lateness.every((ms) => ms >= 0),
      'nothing is early',
    )
  }
  // Overdue after downtime: nobody is there to send them.
  const count = 1500
  const waiting = Array.from({ length: count }, (_, index) => index)
  const now = Date.now()
  {
    await using producer = openProducer(config)
    await Promise.all(
      // Given in another order than that of their times.
      waiting.map((index) =>
        plan(`n${index}`, new Date(now - 10_000 + ((index * 7) % count)), producer),
      ),
    )
  }
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    await scene.until(
      'the overdue ones have come',
      async () => (await texts()).length >= 4 + count,
      { lastSeen: () => lateness.length },
    )
  }
  const overdue = (await texts()).slice(4)
  const inOrder = waiting.toSorted((left, right) => ((left * 7) % count) - ((right * 7) % count))
  assert.deepEqual(
    overdue,
    inOrder.map((index) => `n${index}`),
  )

  // Whatever is restarted: what was sent is not sent again, what waits still waits.
  {
    await using worker = await start()
    const sent = await later.sendAt(reminders, { value: { text: 'last' } }, at(100), {
      producer: worker.producer,
    })
    assert.match(sent.id, /^[0-9a-f-]{36}$/)
    await scene.until('the last one has come', async () => (await texts()).includes('last'))
  }
  assert.equal((await texts()).length, 4 + count + 1)
  unsubscribe()
})
