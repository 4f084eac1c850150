// The embedded broker as users run it: compiled, without the memory and the milliseconds that stripping types takes.
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { startBroker } from '../packages/millrace/dist/broker/index.js'

const [, , folder, options = '{}'] = process.argv
const broker = await startBroker({
  ...(folder === undefined ? { memory: true } : { folder }),
  host: '127.0.0.1',
  options: JSON.parse(options),
})
// Whoever wants the loop's delay asks; nobody pays for it otherwise.
let delay
process.on('message', () => {
  process.send?.((delay?.percentile(99) ?? 0) / 1e6)
  delay ??= monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  delay.reset()
})
process.send?.(broker.port)
await once(process, 'disconnect')
await broker.stop()
