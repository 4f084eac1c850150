import { randomBytes } from 'node:crypto'

const run = randomBytes(3).toString('hex')

/** A name that no other test, run or engine has used: `orders` becomes `orders-3fa9c1`. */
export function unique(name: string): string {
  return `${name}-${run}`
}
