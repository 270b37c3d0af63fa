#include "kernels/optimizer.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

constinit const KernelSlot<SgdStepArgs> sgd_step{"sgd_step",
                                                 {TAPETUM_ENTRY(SgdStepArgs, sgd_step_reference)},
                                                 {TAPETUM_CPU(SgdStepArgs, sgd_step_vec)},
                                                 {TAPETUM_CUDA(SgdStepArgs, sgd_step_cuda)}};
constinit const KernelSlot<AdamStepArgs> adam_step{"adam_step",
                                                   {TAPETUM_ENTRY(AdamStepArgs, adam_step_reference)},
                                                   {TAPETUM_CPU(AdamStepArgs, adam_step_vec)},
                                                   {TAPETUM_CUDA(AdamStepArgs, adam_step_cuda)}};
constinit const KernelSlot<RmspropStepArgs> rmsprop_step{"rmsprop_step",
                                                         {TAPETUM_ENTRY(RmspropStepArgs, rmsprop_step_reference)},
                                                         {TAPETUM_CPU(RmspropStepArgs, rmsprop_step_vec)},
                                                         {TAPETUM_CUDA(RmspropStepArgs, rmsprop_step_cuda)}};
constinit const KernelSlot<AdagradStepArgs> adagrad_step{"adagrad_step",
                                                         {TAPETUM_ENTRY(AdagradStepArgs, adagrad_step_reference)},
                                                         {TAPETUM_CPU(AdagradStepArgs, adagrad_step_vec)},
                                                         {TAPETUM_CUDA(AdagradStepArgs, adagrad_step_cuda)}};
constinit const KernelSlot<LionStepArgs> lion_step{"lion_step",
                                                   {TAPETUM_ENTRY(LionStepArgs, lion_step_reference)},
                                                   {TAPETUM_CPU(LionStepArgs, lion_step_vec)},
                                                   {TAPETUM_CUDA(LionStepArgs, lion_step_cuda)}};
constinit const KernelSlot<LambStepArgs> lamb_step{"lamb_step",
                                                   {TAPETUM_ENTRY(LambStepArgs, lamb_step_reference)},
                                                   {TAPETUM_CPU(LambStepArgs, lamb_step_vec)},
                                                   {TAPETUM_CUDA(LambStepArgs, lamb_step_cuda)}};
constinit const KernelSlot<LookaheadStepArgs> lookahead_step{"lookahead_step",
                                                             {TAPETUM_ENTRY(LookaheadStepArgs, lookahead_step_reference)},
                                                             {TAPETUM_CPU(LookaheadStepArgs, lookahead_step_vec)},
                                                             {TAPETUM_CUDA(LookaheadStepArgs, lookahead_step_cuda)}};
constinit const KernelSlot<EmaStepArgs> ema_step{"ema_step",
                                                 {TAPETUM_ENTRY(EmaStepArgs, ema_step_reference)},
                                                 {TAPETUM_CPU(EmaStepArgs, ema_step_vec)},
                                                 {TAPETUM_CUDA(EmaStepArgs, ema_step_cuda)}};
constinit const KernelSlot<UnscaleArgs> unscale{
    "unscale", {TAPETUM_ENTRY(UnscaleArgs, unscale_reference)}, {TAPETUM_CPU(UnscaleArgs, unscale_vec)}, {TAPETUM_CUDA(UnscaleArgs, unscale_cuda)}};
constinit const KernelSlot<ClipNormArgs> clip_norm{"clip_norm",
                                                   {TAPETUM_ENTRY(ClipNormArgs, clip_norm_reference)},
                                                   {TAPETUM_CPU(ClipNormArgs, clip_norm_vec)},
                                                   {TAPETUM_CUDA(ClipNormArgs, clip_norm_cuda)}};

}  // namespace tapetum::kernels
