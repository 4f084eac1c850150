/** A name and a function, or an object of methods; unknown names are refused; `initialized` runs after boot. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, monitor } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')

await scenario({ topics: { orders: {} } }, async (scene) => {
  const heard: string[] = []
  const byName = monitor.subscribe('job.finished', ({ offset }: { offset: number }) => {
    heard.push(`job.finished ${offset}`)
  })
  const byObject = monitor.subscribe({
    onAppInitialized: ({ clientId }) => heard.push(`app.initialized ${clientId}`),
    onAppRunning: () => heard.push('app.running'),
    onAppStopping: () => heard.push('app.stopping'),
  })
  assert.throws(() => monitor.subscribe('job.finnished', () => undefined), {
    code: 'MR_MONITOR_EVENT_UNKNOWN',
    message: /did you mean job\.finished\?/,
  })
  const { start } = scenarioApp(scene, {
    consumers: [defineConsumer({ topic: orders, each() {} })],
    hooks: { initialized: () => heard.push('hook initialized') },
  })
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    await scene.send('orders', [{ value: '1' }])
    await scene.until('it was handled', () => heard.includes('job.finished 0'), {
      lastSeen: () => heard,
    })
  }
  assert.deepEqual(heard, [
    'hook initialized',
    'app.initialized scenario',
    'app.running',
    'job.finished 0',
    'app.stopping',
  ])
  byName()
  byObject()
})
