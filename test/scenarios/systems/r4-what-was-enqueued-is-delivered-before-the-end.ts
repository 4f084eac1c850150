/** At the end of a script, and when a worker is told to stop: background messages are there although nobody waited. */
import assert from 'node:assert/strict'
import { startProgram } from '../../harness/program.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { script: {}, connected: {}, worker: {} } }, async (scene) => {
  for (const kind of ['script', 'connected', 'worker'] as const) {
    const name = scene.topic(kind)
    await using program = startProgram('enqueue', { brokers: scene.brokers, topic: name, kind })
    if (kind === 'worker') {
      await scene.until(
        'the worker runs',
        () => program.facts.some(({ state }) => state === 'running'),
        {
          lastSeen: () => program.texts,
        },
      )
      program.signal('SIGTERM')
    }
    assert.equal(await program.ended, 0, program.texts.join('\n'))
    const { records } = await scene.log(kind)
    assert.deepEqual(
      records.map(({ value }) => value?.toString()),
      kind === 'connected' ? ['0', '1', '2', '3'] : ['1', '2', '3'],
    )
  }
})
