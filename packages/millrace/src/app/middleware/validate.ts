import { nearest } from '../../kit/index.ts'
import type { Middleware } from './middleware.ts'

const parts = ['name', 'consume', 'send', 'receive', 'error']

/** A layer with a misspelt name would stand nowhere, and nobody would notice. */
export function middlewareFaults(layers: readonly Middleware[], path: string): string[] {
  return layers.flatMap((layer, index) => {
    const at = `${path}.middleware[${index}]`
    if (typeof layer === 'function') return []
    if (typeof layer !== 'object' || (layer as unknown) === null)
      return [`${at}: is neither a function nor an object of consume, send and receive`]
    const faults = Object.keys(layer)
      .filter((key) => !parts.includes(key))
      .map((key) => {
        const near = nearest(key, parts)
        return `${at}.${key}: there is no such layer${near === undefined ? '' : `; did you mean ${near}?`}`
      })
    for (const key of ['consume', 'send', 'receive', 'error'] as const)
      if (layer[key] !== undefined && typeof layer[key] !== 'function')
        faults.push(`${at}.${key}: is not a function`)
    if (layer.error !== undefined && path !== 'app')
      faults.push(`${at}.error: is told of all errors of the process; give it to the app`)
    const isEmpty = !layer.consume && !layer.send && !layer.receive && !layer.error
    if (isEmpty && faults.length === 0) faults.push(`${at}: has no consume, send or receive`)
    return faults
  })
}
