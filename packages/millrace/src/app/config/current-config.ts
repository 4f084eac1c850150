import { failure } from '../../errors/index.ts'
import type { MillraceConfig } from './define-config.ts'

/** The configuration that was defined last: what scripts and consoles of this process use without naming one. */
let current: MillraceConfig | undefined

export function rememberConfig(config: MillraceConfig): void {
  current = config
}

/** @throws MR_APP_NO_CONFIG */
export function currentConfig(): MillraceConfig {
  if (current === undefined) throw failure('MR_APP_NO_CONFIG', {})
  return current
}
