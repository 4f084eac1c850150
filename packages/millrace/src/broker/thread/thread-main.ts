/** Entry of the broker's thread: starts a broker, obeys messages, passes events on. Nothing else imports it. */
import { parentPort, workerData } from 'node:worker_threads'
import { events, type TelemetryEvent } from '../../telemetry/index.ts'
import { startBroker, type Broker } from '../start-broker.ts'
import {
  eventToWire,
  toWire,
  type BrokerThreadOptions,
  type FromThread,
  type ToThread,
} from './thread-messages.ts'

const port = parentPort
if (port === null) throw new Error('thread-main.ts runs in a worker thread')
const send = (message: FromThread): void => port.postMessage(message)

for (const event of forwarded())
  event.subscribe((payload) =>
    send({ kind: 'event', name: event.name, payload: eventToWire(payload) }),
  )

let broker: Broker | undefined
try {
  broker = await startBroker(workerData as BrokerThreadOptions)
  const { address, clusterId } = broker
  port.on('message', (message: ToThread) => void obey(message))
  send({ kind: 'ready', port: broker.port, address, clusterId })
} catch (error) {
  send({ kind: 'refused', error: toWire(error) })
}

async function obey(message: ToThread): Promise<void> {
  if (broker === undefined) return
  switch (message.kind) {
    case 'stats':
      send({ kind: 'stats', id: message.id, stats: broker.stats() })
      return
    case 'stop':
      try {
        await broker.stop()
        send({ kind: 'stopped', error: undefined })
      } catch (error) {
        send({ kind: 'stopped', error: toWire(error) })
      }
      // Nothing is left that would keep the thread.
      port?.close()
  }
}

/** All events of the broker but those of single requests, which would cost a message each. */
function forwarded(): TelemetryEvent<object>[] {
  const all = Object.values(events) as TelemetryEvent<object>[]
  return all.filter(({ name }) => name.startsWith('broker.') && name !== events.brokerRequest.name)
}
