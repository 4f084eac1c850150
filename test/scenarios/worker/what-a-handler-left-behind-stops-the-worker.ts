/** A rejection that nobody waits for is told to be its handler's; the worker stops in good order with exit code 1. */
import assert from 'node:assert/strict'
import { startProgram } from '../../harness/program.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { events: {} } }, async (scene) => {
  await scene.send('events', [{ value: '1' }, { value: '2' }])
  await using program = startProgram('worker', {
    brokers: scene.brokers,
    topic: scene.topic('events'),
    group: scene.group('left'),
    leaves: 1,
    handlerMs: 50,
  })
  assert.equal(await program.ended, 1, program.texts.join('\n'))
  const told = program.facts.flatMap(({ msg }) => (typeof msg === 'string' ? [msg] : []))
  const name = scene.topic('events')
  assert.ok(
    told.some((line) => line.includes(`left behind by ${name} on ${name}/0: Error: left behind`)),
    told.join('\n'),
  )
  assert.ok(
    program.facts.some(({ finished }) => finished === 1),
    'what was in hand is finished',
  )
})
