// The gateway as users run it, compiled: node gateway-child.js BROKER
import { once } from 'node:events'
import { startGateway } from '../packages/millrace/dist/gateway/index.js'

const [, , broker] = process.argv
const gateway = await startGateway({ brokers: [broker], port: 0 })
process.send?.(gateway.port)
await once(process, 'disconnect')
await gateway.stop()
process.exit()
