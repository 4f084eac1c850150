/** An event from a web request, keyed by its user: handed over at once; one user's events are in one partition, in order. */
import assert from 'node:assert/strict'
import { defineTopic, json, openProducer } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

interface Visit {
  readonly user: string
  readonly step: number
}
const visits = defineTopic('visits', { value: json<Visit>() })

await scenario({ topics: { visits: { partitions: 4 } } }, async (scene) => {
  const { config } = scenarioApp(scene, { topics: [visits] })
  await using producer = openProducer(config)
  for (let step = 0; step < 30; step++)
    for (let user = 0; user < 25; user++) {
      const before = producer.queued
      producer.enqueue(visits, { key: `u${user}`, value: { user: `u${user}`, step } })
      assert.equal(producer.queued, before + 1, 'it is handed over when the call returns')
    }
  await producer.flush()

  const placeByUser = new Map<string, Set<number>>()
  const stepsByUser = new Map<string, number[]>()
  for (const partition of [0, 1, 2, 3])
    for (const { value } of (await scene.log('visits', partition)).records) {
      const { user, step } = JSON.parse(String(value)) as Visit
      placeByUser.set(user, (placeByUser.get(user) ?? new Set()).add(partition))
      stepsByUser.set(user, [...(stepsByUser.get(user) ?? []), step])
    }
  assert.equal(stepsByUser.size, 25)
  const rising = Array.from({ length: 30 }, (_, step) => step)
  for (const [user, steps] of stepsByUser) {
    assert.equal(placeByUser.get(user)?.size, 1, `${user} is in one partition`)
    assert.deepEqual(steps, rising, `${user} is in order`)
  }
})
