import config from './millrace.config.ts'
import { playTutorial } from './tutorial.ts'

/** The boot file, and somebody who plays the tutorial on it: `npm start`. */
export default { ...config, dev: { start: playTutorial } }
