/** Nothing more has to come for the last message to be committed; a crash after that repeats nothing before it. */
import assert from 'node:assert/strict'
import { scenarioApp } from '../../harness/app.ts'
import { startProgram } from '../../harness/program.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { events: {} }, deadline: 90_000 }, async (scene) => {
  const { committed } = scenarioApp(scene, {})
  const argument = {
    brokers: scene.brokers,
    topic: scene.topic('events'),
    group: scene.group('idle'),
    commitInterval: '500ms',
    session: '6s',
  }
  {
    await using worker = startProgram('worker', argument)
    await scene.until(
      'the worker runs',
      () => worker.facts.some(({ state }) => state === 'running'),
      {
        lastSeen: () => worker.texts,
      },
    )
    await scene.send('events', [{ value: '1' }, { value: '2' }])
    await scene.until('both are committed', async () => (await committed('idle', 'events')) === 2, {
      lastSeen: () => worker.facts,
    })
    worker.signal('SIGKILL')
    await worker.ended
  }
  await scene.send('events', [{ value: '3' }])
  await using next = startProgram('worker', argument)
  await scene.until(
    'the next one has the third',
    () => next.facts.some(({ finished }) => finished === 2),
    {
      deadline: 55_000,
      lastSeen: () => next.texts,
    },
  )
  const began = next.facts.flatMap((fact) => ('began' in fact ? [fact['began']] : []))
  assert.deepEqual(began, [2])
})
