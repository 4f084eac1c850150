// The embedded broker as users run it: compiled, without the memory and the milliseconds that stripping types takes.
import { once } from 'node:events'
import { startBroker } from '../packages/millrace/dist/broker/index.js'

const folder = process.argv[2]
const broker = await startBroker({
  ...(folder === undefined ? { memory: true } : { folder }),
  host: '127.0.0.1',
})
process.send?.(broker.port)
await once(process, 'disconnect')
await broker.stop()
