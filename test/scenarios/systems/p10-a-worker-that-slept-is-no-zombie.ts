/**
 * A worker is stopped in its tracks in the middle of a handler for longer than its session, and its partition goes to
 * another one. When it wakes up, its late success commits nothing; and it takes part again by itself: it is neither dead
 * nor does it stand there without partitions for ever, as consumers do that have outlasted their poll interval.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, text } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { startProgram } from '../../harness/program.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: {} } }, async (scene) => {
  const group = scene.group('billing')
  await using sleeper = startProgram('worker', {
    brokers: scene.brokers,
    topic: scene.topic('orders'),
    group,
    handlerMs: 300,
    ignoresSignal: true,
    commitInterval: '100ms',
    session: '6s',
  })
  await scene.send('orders', [{ value: 'first' }])
  await scene.until('it handles', () => sleeper.facts.some(({ began }) => began === 0), {
    lastSeen: () => sleeper.texts,
  })
  sleeper.signal('SIGSTOP')

  const seen: number[] = []
  const orders = defineTopic('orders', { value: text() })
  const consumer = defineConsumer({
    topic: orders,
    group: 'billing',
    commit: { interval: '100ms' },
    each: ({ offset }) => void seen.push(offset),
  })
  const { start, committed } = scenarioApp(
    scene,
    { consumers: [consumer] },
    { session: '6s', heartbeat: '200ms' },
  )
  {
    await using other = await start()
    assert.equal(other.state, 'running')
    await scene.until('its message has come to another one', () => seen.length === 1)
    await scene.send('orders', [{ value: 'second' }])
    await scene.until('which goes on', async () => (await committed('billing', 'orders')) === 2)
    sleeper.signal('SIGCONT')
    await scene.until('the sleeper ends its handler', () =>
      sleeper.facts.some(({ finished }) => finished === 0),
    )
  }
  await scene.send('orders', [{ value: 'third' }])
  await scene.until('the sleeper takes part again', () =>
    sleeper.facts.some(({ finished }) => finished === 2),
  )
  await scene.until('and commits', async () => (await committed('billing', 'orders')) === 3)
  assert.deepEqual(seen, [0, 1])
  const handled = sleeper.facts.flatMap((fact) => ('began' in fact ? [fact['began']] : []))
  assert.deepEqual(handled, [0, 2], 'it has not begun what was handled meanwhile')
})
