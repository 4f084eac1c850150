/**
 * INT, QUIT and TERM: the signal is logged, the message in hand finished and committed, the group left, exit 0. Past
 * the shutdown timeout, or at a second signal: an error that says what still ran, exit 2.
 */
import assert from 'node:assert/strict'
import { scenarioApp } from '../../harness/app.ts'
import { startProgram, type Program } from '../../harness/program.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { events: {} } }, async (scene) => {
  const { committed } = scenarioApp(scene, {})
  const start = (group: string, more: object): Program =>
    startProgram('worker', {
      brokers: scene.brokers,
      topic: scene.topic('events'),
      group: scene.group(group),
      ...more,
    })
  const begun = (program: Program): Promise<void> =>
    scene.until('a handler runs', () => program.facts.some((fact) => 'began' in fact), {
      lastSeen: () => [program.facts, program.texts],
    })
  const logged = (program: Program, what: RegExp): boolean =>
    program.facts.some(({ msg }) => typeof msg === 'string' && what.test(msg))
  await scene.send('events', [{ value: '1' }, { value: '2' }])

  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM'] as const) {
    await using program = start(signal, { handlerMs: 500 })
    await begun(program)
    program.signal(signal)
    assert.equal(await program.ended, 0)
    assert.ok(logged(program, new RegExp(`^Received ${signal}, stopping$`)))
    assert.ok(logged(program, /^Worker \d+ stopped after \d+ ms$/))
    assert.ok(program.facts.some(({ finished }) => finished === 0))
    assert.ok(!program.facts.some(({ began }) => began === 1), 'the second was not started')
    assert.ok(program.facts.some(({ hook }) => hook === 'beforeClose'))
    assert.equal(await committed(signal, 'events'), 1)
    const [described] = await scene.client.admin.describeGroups([scene.group(signal)])
    assert.equal(described?.members.length, 0, 'it has left')
  }
  {
    await using program = start('late', {
      handlerMs: 60_000,
      ignoresSignal: true,
      shutdownTimeout: '1s',
    })
    await begun(program)
    program.signal('SIGTERM')
    assert.equal(await program.ended, 2)
    assert.ok(logged(program, /^Forced stop; still running: .*:0 for \d+ s$/))
    assert.equal(await committed('late', 'events'), 0)
  }
  {
    await using program = start('twice', { handlerMs: 60_000, ignoresSignal: true })
    await begun(program)
    program.signal('SIGTERM')
    await scene.until('the first was heard', () => logged(program, /Received SIGTERM/))
    program.signal('SIGTERM')
    assert.equal(await program.ended, 2)
  }
})
