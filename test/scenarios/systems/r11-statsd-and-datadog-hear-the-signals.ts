/**
 * The signals of R10 arrive at a UDP listener, tagged client, group, topic and partition in Datadog's dialect, their
 * labels in the names without it; on by itself when STATSD_HOST or DD_AGENT_HOST is set, and off without.
 */
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')

async function listen(): Promise<{ port: string; lines: string[]; socket: Socket }> {
  const socket = createSocket('udp4')
  const lines: string[] = []
  socket.on('message', (packet) => lines.push(...packet.toString().split('\n')))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { port: String(socket.address().port), lines, socket }
}

await scenario({ topics: { orders: {} } }, async (scene) => {
  const statsd = await listen()
  const datadog = await listen()
  scene.watch('statsd', () => statsd.lines)
  scene.watch('datadog', () => datadog.lines)
  const seen: number[] = []
  const consumer = defineConsumer({
    name: 'billing',
    topic: orders,
    backoff: '10ms',
    each({ offset }, { attempt, pause, seek }) {
      seen.push(offset)
      if (offset === 1 && attempt === 1) throw new Error('once')
      if (offset === 2) pause({ for: '5ms' })
      if (offset === 3 && seen.filter((one) => one === 3).length === 1) seek(2)
    },
  })
  const { start } = scenarioApp(
    scene,
    { consumers: [consumer] },
    { heartbeat: '100ms', metrics: { interval: '100ms' } },
  )
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    assert.equal(events.requestAnswered.isHeard, false, 'nobody is told, so nothing is counted')
  }
  const env = {
    STATSD_HOST: '127.0.0.1',
    STATSD_PORT: statsd.port,
    DD_AGENT_HOST: '127.0.0.1',
    DD_DOGSTATSD_PORT: datadog.port,
    DD_SERVICE: 'shop',
  }
  {
    await using worker = await start({ env })
    for (const value of ['1', '2', '3', '4']) await worker.producer.send(orders, { value })
    await scene.until('a flush told of the last message and of heartbeats', () => {
      const isHandled = seen.filter((one) => one === 3).length === 2
      const text = datadog.lines.join('\n')
      return isHandled && text.includes('group.heartbeat') && text.includes('consumer.seeks')
    })
  }
  await scene.until('the last flush came', () => datadog.lines.join().includes('group.leave'))

  const group = scene.group('billing')
  const at = `client:scenario,group:${group},consumer:billing,topic:orders,partition:0,service:shop`
  const told = (name: string, type: string, tags: string): void => {
    const line = new RegExp(`^millrace\\.${name}:[\\d.]+\\|${type}(\\|@[\\d.]+)?\\|#.*${tags}`)
    assert.ok(
      datadog.lines.some((one) => line.test(one)),
      `${name} ${tags}`,
    )
  }
  const topic = `client:scenario,topic:${scene.topic('orders')}`
  for (const api of ['Produce', 'Fetch', 'JoinGroup', 'SyncGroup', 'Heartbeat'])
    told('client.request', 'ms', `client:scenario,broker:[^,]*,api:${api}`)
  told('producer.message_size', 'h', topic)
  told('producer.buffer', 'g', 'client:scenario')
  told('producer.delivery', 'ms', topic)
  told('producer.attempts', 'h', topic)
  told('producer.ack_delay', 'ms', topic)
  told('producer.messages', 'c', `${topic},partition:0`)
  told('consumer.process', 'ms', at)
  told('consumer.errors', 'c', at)
  told('consumer.batch_size', 'h', `client:scenario,group:${group},consumer:billing,topic:orders`)
  told('consumer.lag', 'g', at)
  told('consumer.time_lag', 'g', at)
  told('consumer.pause', 'ms', at)
  told('consumer.seeks', 'c', at)
  for (const timer of ['heartbeat', 'join', 'sync', 'leave'])
    told(`group.${timer}`, 'ms', `client:scenario,group:${group}`)

  assert.ok(statsd.lines.every((line) => !line.includes('#')))
  const name = `millrace.consumer.messages.scenario.${group}.billing.orders.0`
  await scene.until('StatsD proper was told as well', () =>
    statsd.lines.some((line) => line.startsWith(`${name}:`) && line.endsWith('|c')),
  )
  statsd.socket.close()
  datadog.socket.close()
})
