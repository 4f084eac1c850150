import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { openProducer } from 'millrace'

import { greetings } from './app/topics.ts'
import config from './millrace.config.ts'

const port = Number(process.env['PORT'] ?? 3000)
const producer = openProducer(config)
const app = new Hono()

app.get('/', (context) => context.text('POST /greetings {"name":"Ada"}'))

app.post('/greetings', async (context) => {
  const { name } = await context.req.json<{ name: string }>()
  // All events of one name are in one partition, in order.
  const { partition, offset } = await producer.send(greetings, { key: name, value: { name } })
  return context.json({ partition, offset }, 202)
})

const server = serve({ fetch: app.fetch, port }, (info) => {
  console.log(`http://localhost:${info.port}`)
})

process.once('SIGTERM', async () => {
  server.close()
  await producer.close()
})
