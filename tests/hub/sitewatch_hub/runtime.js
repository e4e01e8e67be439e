// Runs beside a user's evalscript in one V8 context. Everything it is given and gives back is JSON, but for
// the pixels, which lie in array buffers shared with the server.
"use strict";

globalThis.__hub = (() => {
  const has = (name) => __hubFunction(name) !== undefined;
  const state = { inputs: [], outputs: [], scenes: {}, many: false };

  const asArray = (value) => (Array.isArray(value) ? value : [value]);

  function readSetup() {
    if (!has("setup")) throw new Error("function setup() is missing");
    if (!has("evaluatePixel")) throw new Error("function evaluatePixel() is missing");
    return JSON.stringify({
      setup: __hubFunction("setup")(),
      hooks: ["preProcessScenes", "updateOutput", "updateOutputMetadata"].filter(has),
    });
  }

  function preProcessScenes(collections) {
    return JSON.stringify(__hubFunction("preProcessScenes")(collections));
  }

  function updateOutput(outputs, collections) {
    __hubFunction("updateOutput")(outputs, collections);
    return JSON.stringify(outputs);
  }

  function updateOutputMetadata(scenes, inputMetadata) {
    const outputMetadata = {};
    __hubFunction("updateOutputMetadata")(scenes, inputMetadata, outputMetadata);
    return JSON.stringify(outputMetadata);
  }

  function allocate(samples, inputs, outputs, pixels, many, scenes, inputMetadata) {
    Object.assign(state, { samples, inputs, outputs, pixels, many, scenes, inputMetadata });
    state.source = new Float64Array(new SharedArrayBuffer(8 * Math.max(1, samples * inputs.length * pixels)));
    const size = outputs.reduce((sum, output) => sum + output.bands, 0);
    state.target = new Float64Array(new SharedArrayBuffer(8 * Math.max(1, size * pixels)));
  }

  function sampleAt(position, pixel) {
    const { inputs, pixels, source } = state;
    const sample = {};
    for (let band = 0; band < inputs.length; band++) {
      sample[inputs[band]] = source[(position * inputs.length + band) * pixels + pixel];
    }
    return sample;
  }

  function samplesAt(pixel) {
    if (!state.many) return sampleAt(0, pixel);
    const samples = new Array(state.samples);
    for (let position = 0; position < state.samples; position++) samples[position] = sampleAt(position, pixel);
    return samples;
  }

  function store(result, pixel) {
    const { outputs, pixels, target } = state;
    const named = result !== null && typeof result === "object" && !Array.isArray(result);
    if (!named && outputs.length > 1) throw new Error("evaluatePixel must return an object of all outputs");
    let first = 0;
    for (const output of outputs) {
      const value = named ? result[output.id] : result;
      if (value === undefined || value === null) throw new Error(`Output ${output.id} was not returned`);
      const bands = asArray(value);
      if (bands.length !== output.bands) {
        throw new Error(`Output ${output.id} requires ${output.bands} bands, ${bands.length} were returned`);
      }
      for (let band = 0; band < output.bands; band++) target[(first + band) * pixels + pixel] = Number(bands[band]);
      first += output.bands;
    }
  }

  function run(count) {
    const evaluate = __hubFunction("evaluatePixel");
    for (let pixel = 0; pixel < count; pixel++) {
      store(evaluate(samplesAt(pixel), state.scenes, state.inputMetadata, {}, {}), pixel);
    }
  }

  return {
    readSetup, preProcessScenes, updateOutput, updateOutputMetadata, allocate, run,
    source: () => state.source.buffer,
    target: () => state.target.buffer,
  };
})();
