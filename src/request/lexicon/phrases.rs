//! The phrases: what they mean, then how English and how Chinese says it, `|` between.
//!
//! A space in a phrase stands for any of ` `, `-`, `_` or nothing. The longest phrase wins, so a phrase here can
//! take words away from shorter ones.

use super::Sense::{self, *};
use crate::request::{Bound, Verb};

/// Numbers in words; Chinese numerals are read by their digits.
pub(super) const NUMBERS: &[(f64, &str)] = &[
    (1.0, "one|single|a single|just one|单"),
    (2.0, "two|both|pair of|a pair of|a couple of|couple of|dual|双|两"),
    (3.0, "three"),
    (4.0, "four|quad"),
    (5.0, "five"),
    (6.0, "six"),
    (7.0, "seven"),
    (8.0, "eight|octo"),
    (9.0, "nine"),
    (10.0, "ten"),
    (11.0, "eleven"),
    (12.0, "twelve|dozen|a dozen"),
    (13.0, "thirteen"),
    (14.0, "fourteen"),
    (15.0, "fifteen"),
    (16.0, "sixteen"),
    (18.0, "eighteen"),
    (20.0, "twenty"),
    (24.0, "twenty four"),
    (25.0, "twenty five"),
    (30.0, "thirty"),
    (32.0, "thirty two"),
    (40.0, "forty"),
    (48.0, "forty eight"),
    (50.0, "fifty"),
    (60.0, "sixty"),
    (64.0, "sixty four"),
    (70.0, "seventy"),
    (80.0, "eighty"),
    (90.0, "ninety"),
    (100.0, "a hundred"),
    (200.0, "two hundred"),
    (500.0, "five hundred"),
    (1000.0, "a thousand"),
    (1e6, "a million"),
];

/// What a value is done to (`开`, `调整`), and how Chinese says that it ends there (`到`): `To` in every pair.
pub(super) const TURNS: (&str, &str) = (
    "改|换|设|调|开|放|变|降|减|提|升|加|拉|缩|给|弄|干|切|转|回|退|扩|冲|涨|抬|压|砍|增|推|跳|撑|用|调整|设置|减少|减小|提高|\
     提升|增加|增大|缩短|缩小|降低|切换|升级|扩大|扩展|压缩|拉长|拉高|拉大|调高|调低|调大|调小|调长|调短|改大|改小|改长|改短|改高|改低|加长|开大|加大|放大|放宽|退回",
    "到|成|为|至",
);

#[rustfmt::skip]
pub(super) const PHRASES: &[(Sense, &str, &str)] = &[
    (
        Verb(Verb::Train),
        "train|training|trains|trained|fine tune|fine tunes|fine tuning|fine tuned|tune|tuning",
        "训练|微调|精调|训|训得动|训得了|炼",
    ),
    (
        Verb(Verb::Infer),
        "infer|inference|inferencing|serve|serving|serves|served|deploy|deploys|deploying|deployment|host|hosting",
        "推理|部署|上线|提供服务|服务化|起服务",
    ),
    (
        Verb(Verb::Fit),
        "what fits|what can i run|what can we run|what could i run|what model|what models|which model|which models|what llm|\
         what llms|which llm|which llms|what size model|what size of model|what size models|biggest model|largest model|how big a model|how large a model",
        "能跑什么|能跑哪些|可以跑什么|能跑啥|多大的模型|多大模型|什么规模的模型|多大规模的模型|多大参数的模型|最大的模型|哪些模型|什么模型|啥模型|哪个模型",
    ),
    (
        Verb(Verb::Compare),
        "compare|comparison|vs|versus|compared to|compared with|against|which is faster|which is better",
        "对比|比较|哪个快|哪个更快|哪个好|哪个更好|哪个划算|哪个更划算|哪个便宜",
    ),
    (
        Verb(Verb::Gpu),
        "specs|spec|spec sheet|data sheet|specification|specifications|memory bandwidth|bandwidth|tflops|flops",
        "规格|带宽|显存带宽|算力|显存多大|多大显存",
    ),
    (
        Verb(Verb::Model),
        "architecture|config of|model card|details of|how big is|how large is|how many parameters|how many params|parameter count|param count|\
         active parameters|active params|how many layers|how many heads|how many experts",
        "架构|结构|多少参数|参数量|激活参数|多少层|几层|多少专家|多少个专家",
    ),
    (Verb(Verb::Recipe), "recipe|launch command|launch script", "启动命令|启动脚本|配方"),
    (Verb(Verb::Help), "help", "帮助"),
    (Magnitude(100.0), "hundred", ""),
    (Magnitude(1e3), "thousand", ""),
    (Magnitude(1e6), "million", ""),
    (Magnitude(1e9), "billion", ""),
    (Magnitude(1e12), "trillion", ""),
    (Bits(4), "4 bit|4 bits|four bit|load in 4 bit", "4比特|4位|int4量化|4 bit量化|4比特量化|4位量化"),
    (Bits(8), "8 bit|8 bits|eight bit|load in 8 bit", "8比特|8位|8 bit量化|8比特量化|8位量化"),
    (
        To,
        "to|=|:|->|→|>|<|≤|≥|is|are|be|becomes|equals|of size",
        "改|为|是|取|到|成|换回|改回|调回|设回|用回|退回",
    ),
    (From, "from", "从|由"),
    (Times, "x|*|times", "乘以|乘|倍"),
    (Over, "/|divided by", "除以|除"),
    (
        Seek(&[Bound::Max, Bound::Min]),
        "how many|how much|how long|how large|how big|how high",
        "几|多少|多大|多长|多高",
    ),
    (
        Seek(&[Bound::Max]),
        "max|maximum|maximal|as many|as much|as long|largest|biggest|highest|longest|\
         unlimited|maxed out|max out",
        "最大|最多|最长|最高|拉满|打满|开满|顶满|尽可能多|尽可能多的|尽量多|尽可能长|尽量长|尽可能长的",
    ),
    (
        Seek(&[Bound::Min]),
        "min|minimum|minimal|fewest|as few|smallest number of|minimum number of|lowest number of",
        "最少|最小|尽可能少|尽量少|尽可能少的",
    ),
    (
        PerUser,
        "per user|/user|/request|per request|per stream|per client|per person|per session|for each user|each user|every user|a user|\
         per concurrent user|per seat",
        "每个用户|每用户|每位用户|每人|每个人|每路|每个请求|每请求",
    ),
    (
        Scale(2.0),
        "double|doubled|doubling|twice|twice as many|twice as much|twice the|two times",
        "翻倍|翻一倍|翻一番|加倍|两倍|增加一倍|加一倍|多一倍|大一倍|长一倍|再大一倍|扩大一倍|提高一倍|再长一倍|\
         再翻倍|再翻一倍",
    ),
    (
        Scale(0.5),
        "halve|halved|halving|half|half as many|half as much|half the|in half|by half|cut in half",
        "减半|砍半|减少一半|减一半|一半|缩小一半|缩短一半|砍一半|砍掉一半|降一半|对半砍|再减半|缩一半|砍掉半",
    ),
    (Scale(0.25), "quarter|a quarter of", "四分之一"),
    (Scale(3.0), "triple|tripled", "三倍|翻三倍|翻两番"),
    (Scale(4.0), "quadruple|quadrupled", "四倍|翻四倍"),
    (
        On,
        "on|true|enable|enabled|enabling|turn on|turned on|switch on|switched on|activate|activated",
        "开|打开|开启|启用|开上|加上|带上|开着|用上|上|开了",
    ),
    (
        Not,
        "no|not|off|false|without|w/o|disable|disabled|disabling|turn off|turned off|turning off|switch off|\
         switched off|deactivate|drop|dropping|remove|removing|skip|skipping|sans|ditch|lose|minus|don't use|\
         dont use|don't|dont|do not|do not use|never mind|no need for|no more|get rid of|stop using|not using|\
         isn't",
        "关|关掉|关闭|关了|关上|不用|不要|不开|不使用|不做|不加|不带|不需要|不搞|去掉|去除|取消|没有|无|禁用|\
         停用|别用|别开|不|别|没|不启用|不打开|撤掉|拿掉|不再",
    ),
    (Dropping, "instead of|rather than|in place of", "而不是|而非|不是|代替|替代|取代"),
    (Swap, "swap|swap out|replace|trade|exchange", ""),
    (
        And,
        "and|plus|also|as well as|along with|together with|&|+|or",
        "和|与|跟|加|以及|并且|并|同时|还有|还要|外加|或|或者|又",
    ),
    (
        More,
        "more|bigger|larger|longer|higher|greater|increase|increased|increasing|raise|bump|bump up|extend|\
         extended|grow|expand|scale up|turn up|crank up|crank|push|up the|wider|deeper|larger scale|lengthen|\
         boost|lift|ramp up|dial up|go bigger|bring up|widen|upsize|one size up",
        "大点|大一点|大一些|大些|更大|更大的|再大点|再大一点|再大一些|再大|更长|更长的|长点|长一点|长一些|\
         再长一点|再长一些|再长|再长点|更多|更多的|多点|多一点|多一些|多几个|多几张|更高|更高的|高一点|高一些|\
         高点|加大|增大|增加|提高|提升|调大|调高|大一号|拉长|扩大|加长|拉高|撑大",
    ),
    (
        Less,
        "less|smaller|shorter|fewer|lower|reduce|reduced|reducing|decrease|decreased|shrink|cut|cut down|\
         scale down|turn down|lessen|lighter|tinier|trim|shorten|shortened|trim down|one size down|bring down|dial down|\
         dial back|turn it down|go smaller|scale back|downsize|slash",
        "省点|省一点|再省点|再省一点|省着点|小点|小一点|小一些|小些|更小|更小的|再小点|再小一点|再小一些|再小|短点|短一点|短一些|更短|更短的|\
         再短一点|再短|少点|少一点|少一些|更少|更少的|低一点|低一些|更低|更低的|减小|减少|降低|缩小|缩短|调小|小一号|\
         调低|调短|压缩|砍|砍短|压短|减小点",
    ),
    (
        Wish(&["gpu", "gpus", "method", "quant"]),
        "cheaper|cheap|cheapest|lower cost|less money|less expensive|save money|save cost|reduce cost|cut cost|\
         reduce the cost|cut costs",
        "便宜|便宜点|便宜一点|便宜些|更便宜|省钱|省点钱|降低成本|降成本|成本低一点",
    ),
    (
        Wish(&["gpu", "gpus", "quant", "backend"]),
        "faster|fastest|quicker|speed it up|speed up|more speed|more throughput|higher throughput|\
         lower latency|less latency",
        "快点|快一点|快一些|更快|再快一点|再快点|加速|提速|提高速度",
    ),
    (
        Wish(&["method", "quant", "batch", "seq"]),
        "less memory|less vram|less ram|less gpu memory|save memory|save vram|reduce memory|reduce vram|\
         reduce memory usage|cut memory|lower memory|lower the memory|lower vram|reduce the memory|\
         cut the memory|memory down|fit on less|make it fit|get it to fit|memory lower|memory smaller|\
         lighter on memory|use less memory|take less memory|need less memory|shrink the memory|\
         memory footprint down|fit in less memory|oom|ooms|out of memory|cuda oom|\
         runs out of memory|ran out of memory|does not fit|doesn't fit|doesnt fit|won't fit|too much memory",
        "省显存|省点显存|省内存|显存少一点|少占显存|少用点显存|降低显存|降显存|减少显存|显存低一点|显存再低|\
         显存再少|显存小一点|节省显存|压一压显存|能塞下|塞得下|放得下|显存再少点|显存再小点|少占点显存|降点显存|\
         再省点显存|显存太大|显存不够|显存放不下|放不下|装不下|爆显存|显存爆了|显存会爆|爆了|显存不足|太占显存",
    ),
    (
        Other,
        "other|another|different|alternative|some other|any other|else|some different|a different kind of|\
         any different|try another|use another|with another|a new",
        "别的|其他|其它|另外的|另一个|另一种|换个|换一个|换种|换一种|换张|换款|换一款|另一张|另一款|其他的|\
         别的什么",
    ),
    (Add, "add|adding|throw in", "再加|多加|再多|增加了|再来|加多|多"),
    (Another, "add another|yet another|plus one more|plus another", ""),
    (Remove, "take away|subtract|take off", "减去|减掉|再减|少用|少"),
    (
        Back,
        "undo|revert|roll back|go back|take it back|take that back|back to before|before that|like before|\
         as before|as it was|back to how it was|back to the original|back to the previous one|previous one",
        "撤销|撤回|还原|恢复|回退|退回去|回到上一个|回到之前|回到上一步|上一个|上一步|改回来|换回来|改回去|换回去|\
         还是原来的|用回原来的|恢复原样|还是之前的|还是刚才的|原来的",
    ),
    (
        Host,
        "cpu|ram|cpu ram|cpu memory|host ram|host memory|system ram|system memory|main memory",
        "内存|主存|cpu内存|主机内存|系统内存",
    ),
    (
        Each,
        "each|per node|a node|per machine|per server|apiece|per box",
        "每|每台|每个节点|每节点|每台机器|每机|各",
    ),
    (
        Why,
        "the price of|price of|is this for|is that for|is this per|is that per|is this with|is that with|does it assume|does this assume|does that assume|\
         does it include|does this include|does that include|does it already|why|how come|how much faster|how much slower|how did|how did you|how do you|how do u|how are you|how was|how were|how does this|\
         what does|what do you mean|what did|what do|what was|who|whose|when|where|explain|explained|meaning of|\
         difference between|the difference|differences",
        "多少钱|什么价|为什么|快多少|慢多少|差多少|为啥|为何|怎么算的|怎么算|怎么计算|怎么来的|怎么得出|怎么得到|如何计算|如何得出|如何算|什么意思|\
         啥意思|是什么意思|有什么区别|区别|有啥区别|解释|解释一下|原理|啥原理|谁|咋算的|凭什么|哪来的|什么时候|\
         怎么这么|怎么会|怎么那么",
    ),
    (What, "how do i|how can i|how to|how should i|what is|what are|what's|whats|how does|is there|are there|which is|should", "怎么设|怎么设置|如何设置|怎么调|怎么用|怎么填|什么是|是什么|是啥|是多少|是几"),
    (
        Tale,
        "paper|papers|measured|last year|last month|last week|yesterday|back then|used to be",
        "论文|实测|测过|测出|测出来|昨天|上周|上个月|去年",
    ),
    (
        With,
        "within|at|with|w/|if|using|under|when using|given|what if|what about|how about|why not|why don't we|why dont we|assuming|suppose|say|\
         let's say",
        "用|使用|采用|改用|换用|转用|改使用|为什么不|为啥不|何不|不如|要不|如果|若|假如|假设|要是|换|试试|试一下|试",
    ),
    (
        Filler,
        "usage|footprint|consumption|params|parameters|move|moving|place|placing|meant|mean|i meant|i mean|sorry|oops|typo|my bad|correction|proj|projs|projection|projections|gpu hours|gpu hour|gpu time|what do i need|what do we need|what would i need|what would we need|\
         ~|≈|expect|expecting|expected|peak|at peak|cap|limit|limited to|and more|no longer|a|an|the|this|that|these|those|it|its|my|our|your|their|we|i|you|u|they|us|me|them|was|been|am|s|t|ll|\
         ve|re|d|do|does|did|can|could|can't|would|will|gonna|shall|may|might|must|have|has|had|got|get|gets|\
         getting|so|then|in|on a|on an|of|for|into|onto|as|than|up|down|out|over|per|by|just|only|too|please|pls|\
         plz|kindly|try|trying|make|makes|making|set|setting|sets|change|changing|switch|switching|go|going|\
         run|runs|running|let|lets|let's|want|wanted|need|needs|needed|like|now|again|same|still|instead|maybe|\
         perhaps|probably|actually|really|basically|hmm|hm|ok|okay|k|yeah|yes|yep|yup|sure|right|well|alright|\
         cool|great|nice|how|what|which|about|much|many|take|takes|taking|fit|fits|work|works|look|looks|looking|\
         happen|happens|show|see|tell|give|gives|estimate|estimated|calculate|recalculate|recompute it|redo|\
         rerun|update|check|memory|vram|ddr|mem|gb|gib|everything|anything|something|all|some|any|back to|\
         back|go back to|revert to|size|sized|value|setup|config|defaults|room|backbone|weight only|configuration|settings|version|variant|mode|\
         option|case|one of|ones|thing|stuff|number of|amount of|number|amount|hardware|machine with|cluster|rig|\
         box|workstation|laptop|desktop|pc|macbook|macbook pro|macbook air|mac studio|mac mini|mac|possible|\
         enough|able|feasible|require|requires|required|requirement|requirements|cost|costs|fully|whole|entire|\
         layer|layers only|thanks|thank you|thx|cheers|hey|hi|hello|but|because|since|though|there|here|first|\
         next|next time|later|today|at once|at a time|at the same time|in parallel|simultaneously|\
         concurrently|long|wide|deep|total|in total|altogether|overall|default|normal|standard|regular|keep|\
         keeping|kept|put|use|uses|used|i'd|we'd|i'm|we're|bigger one|team|people at|llm|llms|language model|\
         precision training|weights only|instruct version|gguf|base|steps|step|stage|dataset|data|corpus|\
         training data|inference server|server with|bare metal|cloud|on prem|kaggle|aws|gcp|azure|runpod|handle|\
         handles|support|supports|supporting|allow|allows|supposed|ideally|no more than|less than|best|smallest|\
         roughly|approximately|around|approx|nearly|almost|up to|at most|at least|max of|good|\
         ready|real|quick|quickly|question|experiment|attempt|more like|kind of|sort of|bit of|a bit|a little|\
         pcie|sxm|sxm4|sxm5|nvl|for both|warmup|warmup steps|warmup ratio|weight decay|dropout|lora dropout|seed|temperature|top p|max grad norm|lr scheduler|\
         lr scheduler type|scheduler|learning rate|same learning rate|lr|way|in the office|\
         together|plain|simple|ordinary|little|slightly|much more|even|far|already|yet|ever|always|cards we have|\
         that we have|we have|we've got|i have|i've got|own|owned|available|spare|side|precision mode|nvidia|amd|\
         geforce|nvidia geforce|tesla|radeon|intel|huawei|huawei ascend|bring|brings|turn|turned|turning|flip|\
         toggle|dial|generate text|these days|would do|do the job|quantized|quantised|actually just|one with|\
         the one|of memory|of vram|model size|exactly|simply|straight|perhaps just|no problem|wondering|wonder|\
         curious|think|guess|i think|seems|seem|assume|same config|same setup|same settings|everything else|rest|\
         as is|unchanged|current|currently|original|previous|earlier|last one|that one|this one|plan|planning|\
         go for|end up|afford|realistic|realistically|practical|viable|reasonable|ok with|okay with|happy with|\
         only have|only had|aggressively|hows|how's|gaming|scale|e4m3|e5m2|time|this time|store|stored|latency|below|lower than|finally|get away with|come out|comes out|compare to|requiring|\
         per card|on board|gpu memory",
        "用量|使用量|不对|说错了|打错了|写错了|搞错了|我是说|我的意思是|应该是|更正|会不会爆|会爆吗|会爆|会oom吗|会不会oom|爆不爆|卡时|卡小时|普通|常规|标准|普通的|\
         的|挂|挂上|了|吗|呢|吧|啊|呀|嘛|哦|哈|把|将|在|能|能不能|可以|可不可以|可否|能否|行不行|行吗|需要|要求|要|\
         得|会|会怎样|会怎么样|怎么样|怎样|如何|什么|哪些|哪个|啥|那|那么|那如果|这|这个|那个|\
         这样|那样|它|他|我|我们|咱|咱们|你|您|请|请问|麻烦|帮|帮我|帮忙|一下|下|看看|看下|看一下|算算|算下|\
         算一下|算|重新|重新算|再|再算|算一遍|再算一遍|重算一遍|跑一遍|来一遍|一遍|再算算|也|都|就|就用|只|只用|只要|仅|还|还是|还能|够|够不够|够吗|够用|行|\
         好|好的|嗯|想|想要|打算|准备|希望|跑|跑起来|跑得动|跑得了|跑得起来|运行|能跑|能跑吗|个|种|款|下来|起来|\
         出来|上去|之后|以后|然后|的话|情况|情况下|时候|时|左右|大概|大约|约|差不多|不超过|至少|显存|\
         占用|大小|数|值|参数|配置|设置|版本|模式|方案|版|型号|规模|级别|同样|一样|相同|其他不变|其余不变|\
         不变|保持|现在|目前|当前|原来|默认|直接|全部|整个|整体|所有|总|总共|一共|共|支持|满足|同时在线|同时使用|在线|左|\
         右|另外|因为|所以|但|但是|不过|而|而且|以|对|对于|来|去|做|进行|搞|弄|整|给|让|使|令|比|比如|例如|\
         会不会|是不是|是否|有|有没有|没问题|谢谢|谢|辛苦|麻烦了|合适|最好|尽量|试着|尝试|翻|方式|方法|数据|数据集|\
         数据集有|语料|任务|实验|机器上|服务器上|卡上|上面|下面|里|里面|中|内|才|呗|么|嘞|点|些|一点|一些|第一|\
         就行|就好|即可|套|学习率|多久|多长时间|几天|几小时|放|放在|装|塞|塞进|放进|几个|需|需求|算出来|\
         什么样|结果|步|长|云|云上|阿里云|腾讯云|英伟达|华为|开源|大模型|模型上|条件|条件下|凑合|怎么|怎么办|\
         咋样|可行|可行吗|合理|其余|剩下|剩余|别的不变|这次|这回|算出|给出|估算|估计|估一下|估下|预估|测算|试跑|\
         换算|同时在用|每次|每个|各自|单独|独立|手上|手头|我这边|我这|这边|那边|刚才|之前|前面|上次|先|先用|后|\
         先跑|接着|租|借|强化学习|一次|完|训完|跑完|搞定|偏好对齐|对齐|激活|留|保留|存|保存|延迟|低于|小于|以内|之内|以下|批了|继续|就这样|就这么|这么",
    ),
];

/// Phrases that set knobs, as they stand in a line.
#[rustfmt::skip]
pub(super) const SAYINGS: &[(&str, &str, &str)] = &[
    ("model=custom", "custom|custom model", "自定义|自定义模型"),
    (
        "draft=eagle",
        "eagle|eagle 3|eagle head|eagle speculative decoding|eagle 3 speculative decoding",
        "eagle投机解码|eagle3投机解码|eagle投机采样",
    ),
    (
        "draft=mtp",
        "mtp|multi token prediction|nextn|mtp speculative decoding|mtp layer",
        "mtp投机解码|多token预测|多词元预测",
    ),
    (
        "draft=ngram",
        "ngram speculative decoding|ngram drafts|prompt lookup|prompt lookup decoding",
        "ngram投机解码|提示词查找解码",
    ),
    ("master=amp", "amp|fp32 weights under autocast|autocast with fp32 weights|torch amp", "自动混合精度"),
    ("zero=0", "ddp|data parallel only|no deepspeed|no sharding", "不用deepspeed|不分片|不用zero|纯ddp"),
    ("offload=cpu", "full offload|offload to host|param offload", "全卸载"),
    (
        "offload=optimizer",
        "optimizer offload|offload optimizer states|offload the optimizer states|offload adam",
        "优化器卸载|优化器offload|优化器状态卸载|卸载优化器状态",
    ),
    (
        "offload=none",
        "no offload|no offloading|no cpu offload|without offload|without offloading|keep everything on gpu|\
         keep everything on the gpu",
        "不卸载|不offload",
    ),
    (
        "method=full",
        "full fine tune|full fine tuning|full ft|fft|full parameter|full param|full parameters|full weight|\
         full training|full parameter fine tuning|fully fine tune|train all weights|train all parameters",
        "全参|全量|全参微调|全量微调|全参数微调|全参训练|全量训练|全参数训练",
    ),
    (
        "method=freeze",
        "freeze|freeze most layers|train only the last layers|only train the last layers|frozen layers|\
         freeze tuning|freeze training",
        "冻结|冻结微调|冻结训练|冻结大部分层|只训最后几层|只训练最后几层|只微调最后几层|只调最后几层|冻住",
    ),
    (
        "lora_targets=all",
        "all linear layers|all linear|all linears|all linear modules|all the linear layers|\
         target all linear layers|lora on all linear layers|lora on everything|all layers as targets|all modules",
        "所有线性层|全部线性层|所有linear|所有线性层都加lora|全线性层",
    ),
    (
        "lora_targets=attention",
        "just attention|just the attention|attention only|only attention|attention layers only|\
         lora on attention only|only on attention|train only attention|only the attention layers|\
         attention modules only",
        "只加在注意力上|只训练attention|只训attention|只训注意力|只对注意力|注意力层",
    ),
    ("lora_targets=gate,up,down", "mlp|mlp layers|ffn layers", "mlp层|只训mlp"),
    ("checkpointing=selective", "", "选择性重计算|选择性检查点|选择性激活重计算|部分重计算"),
    (
        "checkpointing=on",
        "full recompute|full recomputation|full checkpointing|full activation checkpointing|\
         full activation recomputation|save activations memory",
        "全重计算|全量重计算",
    ),
    (
        "master=off",
        "no fp32 master|no master|no master weights|no master copy|no fp32 master weights|no fp32 master copy|\
         without fp32 master|without master weights|without fp32 master weights|pure 16 bit",
        "不要主权重|不要fp32主权重|没有fp32主权重|不保留fp32主权重|不留主权重|不用主权重",
    ),
    (
        "master=on",
        "fp32 master|fp32 master weights|fp32 master copy|with master weights|keep master weights",
        "fp32主权重",
    ),
    (
        "precision=bf16 master=off",
        "bf16 everything|everything bf16|all bf16|pure bf16|pure bf16 no fp32 master|full bf16|bf16 only|\
         bf16 everywhere|everything in bf16",
        "纯bf16",
    ),
    ("precision=fp16 master=off", "pure fp16|full fp16|fp16 everywhere", "纯fp16"),
    ("precision=bf16", "bf16 amp|bf16 mixed|mixed precision", "混合精度"),
    ("precision=fp16", "mixed precision fp16|fp16 amp|fp16 mixed", "fp16混合精度|半精度"),
    ("precision=fp32", "full precision|single precision", "单精度|全精度"),
    ("precision=fp8", "fp8 training|train in fp8|fp8 mixed precision|transformer engine", "fp8训练|fp8混合精度"),
    ("attn=flash", "flash attention 2|flash attention 3|flash attn 2|flash attn 3|fa 2|fa 3|flash", "闪存注意力"),
    (
        "attn=eager",
        "eager attention|naive attention|vanilla attention|plain attention|standard attention",
        "原生注意力|普通注意力|朴素注意力",
    ),
    (
        "loss=fused",
        "liger|liger kernel|liger kernels|fused cross entropy|fused ce|fused loss|cut cross entropy|fused linear cross entropy",
        "融合交叉熵",
    ),
    ("loss=chunked", "chunked loss|chunked cross entropy|chunked ce", "分块交叉熵|分块loss"),
    (
        "optimizer=adamw-8bit",
        "bnb 8 bit optimizer|bnb 8 bit adam|bnb 8 bit adamw|8 bit adam|8 bit adamw|adam 8 bit|adamw 8 bit|8 bit optimizer|8 bit optim|bnb adam|bitsandbytes adam",
        "8 bit优化器|8比特优化器|8位优化器|8位adam",
    ),
    (
        "optimizer=paged-adamw-8bit",
        "paged 8 bit adam|paged 8 bit adamw|paged adam|paged optimizer|paged adamw",
        "分页优化器|分页adamw",
    ),
    ("optimizer=paged-adamw-32bit", "paged adamw 32 bit|paged adam 32 bit|paged 32 bit adamw|32 bit paged adamw", ""),
    ("optimizer=adamw", "adam|adamw|adamw 32 bit|fused adamw", ""),
    (
        "stage=pretrain",
        "continue pretraining|continued pretraining|continual pretraining|from scratch",
        "预训练|增量预训练|从头训练|从零训练|从头训|从头预训练|从头开始训练|从零开始训练|从头开始预训练|从零开始预训练|二次预训练",
    ),
    ("stage=sft", "sft|supervised fine tuning|instruction tuning|instruction tune", "指令微调|监督微调"),
    (
        "stage=rm",
        "reward modeling|reward modelling|train a reward model|reward model training",
        "训练奖励模型|奖励模型训练|奖励建模",
    ),
    ("ref_model=on", "", "带参考模型"),
    (
        "ref_model=off",
        "no reference model|without a reference model|without reference model|no ref model|reference free|\
         without a ref model|without ref model",
        "不要参考模型|不用参考模型|没有参考模型|不加载参考模型",
    ),
    (
        "quant=bnb-nf4-single",
        "no double quant|no double quantization|without double quant|without double quantization|single quantization",
        "不用双重量化|不要双重量化|不做双重量化",
    ),
    (
        "quant=none",
        "no quantization|no quantisation|no quant|unquantized|unquantised|without quantization|without quant|\
         not quantized|original weights|full weights|16 bit weights|\
         full precision weights|half precision weights|no quantized weights",
        "不量化|不要量化|不做量化|无量化|原始精度|原版权重|不用量化",
    ),
    (
        "eager=on",
        "enforce eager|eager mode|cuda graph off|cuda graphs off|turn off cuda graphs|no cuda graph|no cuda graphs|without cuda graphs|without cuda graph|\
         disable cuda graphs|disable cuda graph",
        "不用cuda graph|关闭cuda graph|关掉cuda graph|不开cuda graph",
    ),
    (
        "eager=off",
        "with cuda graphs|with cuda graph|enable cuda graphs|use cuda graphs|cuda graphs on",
        "打开cuda graph|开启cuda graph",
    ),
    ("sharding=fsdp", "fsdp|fsdp2|fully sharded|full shard|fully sharded data parallel", ""),
    ("sharding=hsdp", "hsdp|hybrid shard|hybrid sharding|fsdp hybrid shard|fsdp2 hybrid shard|fsdp hybrid", "混合分片"),
    ("concurrency=1", "single stream|just me", ""),
    ("gpus=1", "colab|on colab", ""),
    (
        "gpus=min",
        "as many as needed|as many as it takes|however many it takes|however many are needed|whatever number it takes",
        "张数你定|卡数你定|数量你定|需要几张用几张|要几张用几张|几张都行",
    ),
    (
        "cpu_moe=min",
        "experts on cpu|experts on the cpu|experts to cpu|experts to the cpu|experts in ram|experts in system ram|\
         moe on cpu|moe on the cpu|offload experts|offload the experts|cpu moe",
        "专家放cpu|专家放到cpu|专家放内存|专家放到内存|专家卸载|专家卸载到cpu",
    ),
    (
        "gpu_layers=max",
        "partial offload|partially offloaded|partial gpu offload|rest on cpu|rest on the cpu|rest in ram|\
         split between cpu and gpu|split between gpu and cpu|spill to cpu|spill to ram",
        "部分卸载|其余放cpu|其余放内存|放不下的放cpu|放不下的放内存",
    ),
    ("compile=on", "compiled", ""),
    (
        "class=consumer",
        "consumer gpus|consumer cards|consumer gpu|consumer card|gaming gpus|gaming cards|gaming gpu",
        "消费级显卡|消费级卡|消费级|游戏卡|家用显卡",
    ),
    ("class=datacenter", "datacenter gpus|datacenter cards", "数据中心卡|数据中心显卡|专业计算卡"),
    ("class=workstation", "workstation cards|workstation gpus", "工作站显卡|工作站卡"),
    ("vendor=nvidia", "nvidia only|only nvidia", "只用英伟达|只要英伟达"),
    ("vendor=amd", "amd only|only amd|amd gpus|amd cards", "只用amd|amd显卡|amd的卡"),
    ("vendor=huawei", "only ascend|ascend only", "国产卡|华为卡|只用昇腾|昇腾卡|昇腾"),
    ("vendor=apple", "apple silicon", "苹果芯片|苹果电脑"),
];
