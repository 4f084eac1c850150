/**
 * Event notification: the event says what happened and where to look; the consumer asks the producer's API for the rest. An
 * API that is down is a message that comes again; one that is gone is an answer.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  defineConsumer,
  defineTopic,
  json,
  retry,
  skip,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const changes = defineTopic('changes', { value: json<{ readonly link: string }>() })

await scenario({ topics: { changes: {} } }, async (scene) => {
  let isDown = true
  let asked = 0
  const api = createServer((request, response) => {
    asked++
    const id = request.url?.split('/').at(-1)
    if (isDown) response.writeHead(503).end()
    else if (id === '2') response.writeHead(410).end()
    else response.end(JSON.stringify({ id, street: 'Main Street 1' }))
  })
  api.listen(0, '127.0.0.1')
  await once(api, 'listening')
  const { port } = api.address() as AddressInfo
  const known: unknown[] = []
  const consumer = defineConsumer({
    topic: changes,
    group: 'addresses',
    backoff: '50ms',
    async each({ value }, { signal }) {
      const answer = await fetch(`http://127.0.0.1:${port}${value.link}`, { signal })
      if (answer.status === 404 || answer.status === 410) return skip('gone')
      if (!answer.ok) return retry()
      known.push(await answer.json())
    },
  })
  const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
  {
    await using worker = await start()
    for (const id of [1, 2, 3])
      await worker.producer.send(changes, { value: { link: `/customers/${id}` } })
    await scene.until('it has asked in vain', () => asked >= 2)
    assert.deepEqual(known, [])
    isDown = false
    await scene.until('it knows the others', () => known.length === 2)
  }
  api.closeAllConnections()
  api.close()
  assert.deepEqual(known, [
    { id: '1', street: 'Main Street 1' },
    { id: '3', street: 'Main Street 1' },
  ])
  assert.equal(await committed('addresses', 'changes'), 3)
})
