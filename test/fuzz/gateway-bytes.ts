/** `node test/fuzz/gateway-bytes.ts [count] [seed]`: 100,000 mutated inputs by default, about a minute. */
import { fuzzGateway } from './fuzz-gateway.ts'

const count = Number(process.argv[2] ?? 100_000)
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000_007)
console.log(`seed ${seed}, ${count} inputs`)
const started = performance.now()
const { sent, replies, refused, earlyRss, halfRss, lateRss } = await fuzzGateway({ count, seed })
const seconds = (performance.now() - started) / 1000
const mib = (bytes: number): number => Math.round(bytes / 1024 / 1024)
console.log(`${sent} sent in ${seconds.toFixed(1)} s, ${Math.round(sent / seconds)} a second`)
console.log(`${replies} replies, ${refused} refused as no commands`)
console.log(
  `${mib(earlyRss)} MiB resident after a tenth, ${mib(halfRss)} half way, ${mib(lateRss)} at the end`,
)
// By then the heap has found its size; what grows with the inputs would go on growing.
const most = Math.min(halfRss * 1.25, earlyRss * 1.5 + 50 * 1024 * 1024)
if (count >= 50_000 && lateRss > most) throw new Error('memory grows with the inputs')
