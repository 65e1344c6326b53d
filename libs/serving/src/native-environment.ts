/**
 * TensorFlow reads its settings from the environment of the process, once, when its library loads. A thread has only a
 * copy of that environment, so whoever starts the thread must set them.
 */
const settings = {
  /** Else TensorFlow takes all GPU memory at once. */
  TF_FORCE_GPU_ALLOW_GROWTH: 'true',
  /** Warnings and errors only. */
  TF_CPP_MIN_LOG_LEVEL: '1',
} as const;

/** Sets what the native backend needs, where the operator has not set it otherwise. */
export function setNativeEnvironment(environment: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(settings)) environment[name] ??= value;
}
