/** A gateway as a process: node gateway-program.ts BROKER PORT [UNSENT_DIR]. Says `ready`; SIGTERM stops it, exit code 0. */
import { startGateway } from '../../packages/millrace/src/gateway/index.ts'

const [broker = '', port = '0', unsentDir] = process.argv.slice(2)
const gateway = await startGateway({
  brokers: [broker],
  port: Number(port),
  reusePort: true,
  ...(unsentDir === undefined ? {} : { unsentDir }),
})
process.stdout.write('ready\n')
process.once('SIGTERM', () => {
  void gateway.stop().then((unflushed) => {
    process.stdout.write(`stopped ${unflushed}\n`)
    process.exit(0)
  })
})
